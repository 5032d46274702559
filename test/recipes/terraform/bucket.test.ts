import { describe, expect, test } from 'vitest';

import { bucketStatements } from '#targets/preflight/policies/export-statements.ts';
import { mergeStatements } from '#targets/preflight/policy/merge-statements.ts';
import { withLists } from '../iam-policy.ts';
import { accountId, inputsIn, policiesOfThePage, policyOf, readRecipe } from './recipe.ts';

const { bucket } = await readRecipe();

describe('the bucket', () => {
  const regions = ['eu-west-1', 'us-gov-west-1', 'cn-north-1', 'eusc-de-east-1'];

  test.each(regions)('has the policy that the service prints in %s', (region) => {
    const variables = { bucket_name: 'my-archive', account_ids: [accountId] };

    expect(policyOf(bucket, 'bucket', inputsIn(region, variables))).toEqual(
      withLists(mergeStatements(undefined, bucketStatements({ region, accountId }, 'my-archive'))),
    );
  });

  test('has the policy and the key policy of docs/deploying.md', () => {
    const variables = { bucket_name: 'my-archive', account_ids: [accountId] };
    const inputs = inputsIn('eu-west-1', variables);
    const [, , ofTheBucket, ofTheKey] = policiesOfThePage();

    expect(policyOf(bucket, 'bucket', inputs)).toEqual(ofTheBucket);
    expect(policyOf(bucket, 'key', inputs)).toEqual(ofTheKey);
  });

  test('accepts exports of several accounts, and their service roles', () => {
    const others = ['444455556666', '777788889999'];
    const roles = others.map((id) => `arn:aws:iam::${id}:role/log-export`);
    const variables = {
      bucket_name: 'my-archive',
      account_ids: [accountId, ...others],
      service_role_arns: roles,
    };

    const { Statement } = policyOf(bucket, 'bucket', inputsIn('eu-west-1', variables));
    const key = policyOf(bucket, 'key', inputsIn('eu-west-1', variables));

    for (const { Condition } of Statement.slice(0, 2)) {
      expect(Condition?.StringEquals?.['aws:SourceAccount']).toEqual([accountId, ...others]);
      expect(Condition?.ArnLike?.['aws:SourceArn']).toEqual(
        [accountId, ...others].map((id) => `arn:aws:logs:eu-west-1:${id}:log-group:*`),
      );
    }
    expect(Statement[2]).toMatchObject({ Principal: { AWS: roles }, Action: ['s3:PutObject'] });
    expect(Statement[3]).toMatchObject({
      Principal: { AWS: roles },
      Action: ['s3:ListBucket', 's3:GetObject'],
    });
    expect(key.Statement[2]).toMatchObject({ Principal: { AWS: roles } });
  });

  test('is private, encrypted with the key, without ACLs, and deletes incomplete uploads', () => {
    const exports = (type: string) => bucket.resource[type]?.exports?.[0];
    const ownership = exports('aws_s3_bucket_ownership_controls');
    const access = exports('aws_s3_bucket_public_access_block');
    const encryption = exports('aws_s3_bucket_server_side_encryption_configuration');
    const lifecycle = exports('aws_s3_bucket_lifecycle_configuration');

    expect(ownership).toMatchObject({ rule: [{ object_ownership: 'BucketOwnerEnforced' }] });
    expect(access).toMatchObject({
      block_public_acls: true,
      block_public_policy: true,
      ignore_public_acls: true,
      restrict_public_buckets: true,
    });
    expect(JSON.stringify(encryption)).toContain('"aws:kms"');
    expect(JSON.stringify(encryption)).toContain('aws_kms_key.exports.arn');
    expect(lifecycle).toMatchObject({
      rule: [{ abort_incomplete_multipart_upload: [{ days_after_initiation: 7 }] }],
    });
  });
});
