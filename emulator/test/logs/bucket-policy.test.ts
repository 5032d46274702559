import { DeleteBucketPolicyCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucket, logGroupName, openAws, refusal } from '../aws.ts';
import { arn, documented, sourceArn } from './documented-policy.ts';

const failed = (call: string) =>
  `${call} call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.`;
const forEveryone = { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' };

/** Returns the error message of an export under that policy, or undefined if it is accepted. */
async function answerUnder(statements: unknown, order: Record<string, unknown> = {}) {
  await using aws = await openAws();
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  await aws.s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  return (await refusal(aws.create(order)))?.message;
}

describe('a bucket policy permits an export', () => {
  it.each<[string, unknown]>([
    ['from the user guide', documented()],
    [
      'with the global principal and without conditions',
      ['s3:GetBucketAcl', 's3:PutObject'].map((Action) => ({
        Effect: 'Allow',
        Principal: { Service: 'logs.amazonaws.com' },
        Action,
        Resource: [arn, `${arn}/*`],
      })),
    ],
    ['with one statement for everyone', forEveryone],
    ['with every service as principal', { ...forEveryone, Principal: { Service: '*' } }],
    ['with the other form of everyone', { ...forEveryone, Principal: { AWS: '*' } }],
    ['with wildcards and any case in the action', { ...forEveryone, Action: 'S3:*' }],
    [
      'with NotAction for another action',
      { ...forEveryone, Action: undefined, NotAction: 's3:DeleteObject' },
    ],
    [
      'with NotPrincipal for another service',
      { ...forEveryone, Principal: undefined, NotPrincipal: { Service: 'sns.amazonaws.com' } },
    ],
    [
      'with NotResource for another bucket',
      { ...forEveryone, Resource: undefined, NotResource: 'arn:aws:s3:::x' },
    ],
    ...Object.entries({
      StringLike: { 'aws:SourceAccount': '1234*' },
      StringNotEquals: { 'aws:SourceAccount': '999999999999' },
      StringNotLike: { 'aws:sourceaccount': '9?9*' },
      StringEqualsIgnoreCase: { 'aws:SourceAccount': '123456789012' },
      ArnEquals: { 'AWS:SourceArn': `arn:aws:logs:*:123456789012:log-group:${logGroupName}:*` },
      ArnNotLike: { 'aws:SourceArn': sourceArn('999999999999') },
      StringEqualsIfExists: { 'aws:PrincipalOrgID': 'o-1' },
      Bool: { 'aws:SecureTransport': true },
      'ForAnyValue:StringEquals': { 'aws:SourceAccount': ['1', '123456789012'] },
      Null: { 'aws:SourceAccount': 'false', 'aws:PrincipalOrgID': true },
      StringNotEqualsIfExists: { 'aws:PrincipalOrgID': 'o-1' },
      NumericGreaterThanEquals: { 's3:TlsVersion': '1.2' },
      NumericGreaterThan: { 's3:TlsVersion': 1 },
      NumericLessThanEquals: { 's3:TlsVersion': [1.2, 1.3] },
      NumericEquals: { 's3:TlsVersion': '1.30' },
      NumericNotEquals: { 's3:TlsVersion': 1.1 },
      'ForAllValues:StringEquals': { 'aws:PrincipalOrgID': 'o-1' },
      'ForAnyValue:StringLike': { 'aws:PrincipalServiceNamesList': 'logs.*' },
    }).map(([operator, keys]): [string, unknown] => [
      `with the condition ${operator}`,
      { ...forEveryone, Condition: { [operator]: keys } },
    ]),
  ])('%s', async (_, statements) => {
    expect(await answerUnder(statements)).toBeUndefined();
  });

  it.each<[string, object]>([
    ['over plain HTTP', { Bool: { 'aws:SecureTransport': 'false' } }],
    ['with an old TLS', { NumericLessThan: { 's3:TlsVersion': 1.2 } }],
    [
      'by others than services and the account',
      {
        BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' },
        StringNotEquals: { 'aws:PrincipalAccount': '123456789012' },
      },
    ],
    [
      'with a key that is absent',
      { 'ForAnyValue:StringNotEquals': { 'aws:PrincipalOrgID': 'o-1' } },
    ],
  ])('with a Deny of requests %s', async (_, Condition) => {
    const deny = { ...forEveryone, Effect: 'Deny', Principal: { AWS: '*' }, Condition };

    expect(await answerUnder([forEveryone, deny])).toBeUndefined();
  });

  it.each(['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter', null] as const)(
    'from the user guide, which has no s3:PutObjectAcl, with the Object Ownership %s',
    async (objectOwnership) => {
      await using aws = await openAws();
      const policy = JSON.stringify({ Version: '2012-10-17', Statement: documented() });
      aws.emulator.seed.bucket({ bucket, policy, objectOwnership });

      expect(await refusal(aws.create())).toBeUndefined();
    },
  );

  it('for one prefix only', async () => {
    const statements = documented({ put: { Resource: `${arn}/team-a/*` } });

    expect(await answerUnder(statements, { destinationPrefix: 'team-a' })).toBeUndefined();
    expect(await answerUnder(statements, { destinationPrefix: 'team-b' })).toBe(
      failed('PutObject'),
    );
    expect(await answerUnder(statements)).toBe(failed('PutObject'));
  });
});

describe('a bucket policy rejects an export', () => {
  it.each<[string, string, unknown]>([
    ['GetBucketAcl', 'without statements', []],
    [
      'GetBucketAcl',
      'without the ARN of the bucket',
      documented({ acl: { Resource: `${arn}/*` } }),
    ],
    ['PutObject', 'without the ARN of the keys', documented({ put: { Resource: arn } })],
    [
      'PutObject',
      'with an explicit Deny',
      [forEveryone, { ...forEveryone, Effect: 'Deny', Action: ['s3:Put*'] }],
    ],
    [
      'GetBucketAcl',
      'with the principal of another Region',
      documented({
        acl: { Principal: { Service: 'logs.eu-west-1.amazonaws.com' } },
      }),
    ],
    [
      'GetBucketAcl',
      'with another kind of principal',
      { ...forEveryone, Principal: { AWS: '123456789012' } },
    ],
    ['GetBucketAcl', 'without a principal', { ...forEveryone, Principal: undefined }],
    [
      'GetBucketAcl',
      'with the condition of another account',
      documented({
        acl: { Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } } },
      }),
    ],
    [
      'GetBucketAcl',
      'with the ARN of another account',
      documented({
        acl: { Condition: { ArnLike: { 'aws:SourceArn': sourceArn('1111*') } } },
      }),
    ],
    [
      'PutObject',
      'with the condition of another ACL',
      documented({
        put: { Condition: { StringEquals: { 's3:x-amz-acl': 'private' } } },
      }),
    ],
    [
      'GetBucketAcl',
      'with a condition key that is not sent',
      {
        ...forEveryone,
        Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } },
      },
    ],
    [
      'GetBucketAcl',
      'with an unknown operator',
      {
        ...forEveryone,
        Condition: { Peculiar: { 'aws:SourceAccount': '123456789012' } },
      },
    ],
    [
      'GetBucketAcl',
      'with the condition of an insecure transport',
      {
        ...forEveryone,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  ])('at %s, %s', async (call, _, statements) => {
    expect(await answerUnder(statements)).toBe(failed(call));
  });

  it.each<[string, object]>([
    ['from outside of a VPC', { StringNotEquals: { 'aws:SourceVpce': 'vpce-1' } }],
    ['from other addresses', { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }],
    ['from outside of an organization', { StringNotEquals: { 'aws:PrincipalOrgID': 'o-1' } }],
    [
      'without a header for the encryption',
      { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } },
    ],
  ])('with a Deny of requests %s', async (_, Condition) => {
    const deny = { ...forEveryone, Effect: 'Deny', Action: 's3:PutObject', Condition };

    expect(await answerUnder([forEveryone, deny])).toBe(failed('PutObject'));
  });

  it('with a condition of another organization', async () => {
    await using aws = await openAws({ organizationId: 'o-own' });
    const under = async (organization: string) => {
      const Condition = { StringEquals: { 'aws:SourceOrgID': organization } };
      const deny = {
        ...forEveryone,
        Effect: 'Deny',
        Condition: {
          StringNotEqualsIfExists: { 'aws:PrincipalOrgID': 'o-own' },
          Bool: { 'aws:PrincipalIsAWSService': 'false' },
        },
      };
      const Policy = JSON.stringify({ Statement: [{ ...forEveryone, Condition }, deny] });
      await aws.s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
      return (await refusal(aws.create()))?.message;
    };

    expect(await under('o-other')).toBe(failed('GetBucketAcl'));
    expect(await under('o-own')).toBeUndefined();
  });

  it('with AccessDeniedException, or with the older InvalidParameterException as an option', async () => {
    await using today = await openAws();
    await using before = await openAws({ bucketPolicyErrorCode: 'InvalidParameterException' });

    for (const { s3 } of [today, before]) {
      await s3.send(new DeleteBucketPolicyCommand({ Bucket: bucket }));
    }

    const expected = { message: failed('GetBucketAcl'), status: 400 };
    expect(await refusal(today.create())).toEqual({ ...expected, name: 'AccessDeniedException' });
    expect(await refusal(before.create())).toEqual({
      ...expected,
      name: 'InvalidParameterException',
    });
  });
});
