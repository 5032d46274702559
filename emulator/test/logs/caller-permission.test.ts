import { CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { EmulatorOptions } from '../../src/emulator.ts';
import { bucket, logGroupName, openAws, refusal } from '../aws.ts';
import { arn, documented } from './documented-policy.ts';

describe('the caller of CreateExportTask', () => {
  const needed =
    'Please ensure that the CreateExportTask caller has been granted s3:PutObject access to the bucket.';
  const roleArn = 'arn:aws:iam::111122223333:role/exporter';

  /** Returns the error when a session of the role exports to a bucket of 123456789012. */
  async function answerToRole(
    statements: object[],
    sessionPolicy?: object,
    { options = {}, settings = {} }: { options?: EmulatorOptions; settings?: object } = {},
  ) {
    await using aws = await openAws(options);
    aws.emulator.seed.bucket({ bucket, ...settings });
    const accountId = '111122223333';
    aws.emulator.seed.logGroup({ logGroupName, accountId });
    const Policy = JSON.stringify({ Statement: [...documented(), ...statements] });
    await aws.s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
    const session = sessionPolicy && JSON.stringify({ Statement: sessionPolicy });
    const logs = aws.logsFor(await aws.assume({ RoleArn: roleArn, Policy: session }));
    return await refusal(logs.send(new CreateExportTaskCommand(aws.order)));
  }

  const grant = (name: string) => ({
    Effect: 'Allow',
    Principal: { AWS: name },
    Action: 's3:PutObject',
    Resource: `${arn}/*`,
    Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control' } },
  });

  it('gets s3:PutObject from the bucket policy of another account', async () => {
    expect(await answerToRole([])).toMatchObject({
      name: 'AccessDeniedException',
      message: needed,
    });
    expect(await answerToRole([grant('arn:aws:iam::111122223333:role/else')])).toBeDefined();
    expect(await answerToRole([grant(roleArn)])).toBeUndefined();
    expect(await answerToRole([grant('arn:aws:iam::111122223333:root')])).toBeUndefined();
  });

  it('gets s3:PutObject from its session policy, which must allow the operation too', async () => {
    const allow = (Action: string[]) => ({ Effect: 'Allow', Action, Resource: '*' });

    const withoutPut = await answerToRole([grant(roleArn)], allow(['logs:*']));
    const withoutLogs = await answerToRole([grant(roleArn)], allow(['s3:*', 'logs:Describe*']));
    const withBoth = await answerToRole([grant(roleArn)], allow(['s3:PutObject', 'logs:Create*']));

    expect(withoutPut).toMatchObject({ name: 'AccessDeniedException', message: needed });
    expect(withoutLogs).toEqual({
      name: 'AccessDeniedException',
      message:
        'User: arn:aws:sts::111122223333:assumed-role/exporter/test is not authorized to perform: logs:CreateExportTask on resource: arn:aws:logs:us-east-1:111122223333:log-group:/shop/checkout:* because no session policy allows the logs:CreateExportTask action',
      status: 400,
    });
    expect(withBoth).toBeUndefined();
  });

  it('needs s3:PutObjectAcl in another account that has ACLs', async () => {
    const options = { deniedActions: { [roleArn]: ['s3:PutObjectAcl'] } };
    const withAcls = { objectOwnership: 'BucketOwnerPreferred' };

    const denied = await answerToRole([grant(roleArn)], undefined, { options, settings: withAcls });

    expect(denied).toMatchObject({ message: needed });
    expect(await answerToRole([grant(roleArn)], undefined, { options })).toBeUndefined();
    expect(await answerToRole([grant(roleArn)], undefined, { settings: withAcls })).toBeUndefined();
  });

  it('loses s3:PutObject by an explicit Deny of the bucket policy in its own account', async () => {
    await using aws = await openAws();
    const deny = { ...grant('123456789012'), Effect: 'Deny' };
    const Policy = JSON.stringify({ Statement: [...documented(), deny] });
    await aws.s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));

    expect(await refusal(aws.create())).toMatchObject({ message: needed });
  });
});
