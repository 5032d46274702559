import { DescribeLogGroupsCommand, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateBucketCommand,
  DeleteBucketEncryptionCommand,
  DeleteBucketLifecycleCommand,
  GetBucketAclCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import type { EmulatorOptions } from '../src/emulator.ts';
import { bucket, logGroupName, openAws, refusal } from './aws.ts';

const account = '123456789012';
const roleArn = `arn:aws:iam::${account}:role/looker`;

/** Opens an emulator and a session of the role, limited by a session policy if there is one. */
async function openSession({
  options = {},
  policy,
  role = roleArn,
}: {
  options?: EmulatorOptions;
  policy?: object[];
  role?: string;
}) {
  const aws = await openAws(options);
  const Policy = policy && JSON.stringify({ Statement: policy });
  const keys = await aws.assume({ RoleArn: role, Policy });
  return Object.assign(aws, { roleS3: aws.s3For(keys), roleLogs: aws.logsFor(keys) });
}

const list = (s3: S3Client, Prefix?: string) =>
  s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix }));
const read = (s3: S3Client, Key: string) => s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
const write = (s3: S3Client, Key: string) =>
  s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x' }));

describe('deniedActions', () => {
  it('of a role are answered with 403 by S3, to this role only', async () => {
    await using aws = await openSession({
      options: { deniedActions: { [roleArn]: ['s3:ListBucket', 's3:get*Policy'] } },
    });
    await aws.put('key');

    const policy = new GetBucketPolicyCommand({ Bucket: bucket });

    expect(await refusal(list(aws.roleS3))).toEqual({
      name: 'AccessDenied',
      message: `User: arn:aws:sts::${account}:assumed-role/looker/test is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::${bucket}" because no identity-based policy allows the s3:ListBucket action`,
      status: 403,
    });
    expect(await refusal(aws.roleS3.send(policy))).toMatchObject({ name: 'AccessDenied' });
    const head = aws.roleS3.send(new HeadBucketCommand({ Bucket: bucket }));
    expect(await refusal(head)).toMatchObject({ status: 403 });
    expect(await refusal(read(aws.roleS3, 'key'))).toBeUndefined();
    expect(await refusal(list(aws.s3))).toBeUndefined();
  });

  it('of everyone and of an access key apply to these', async () => {
    await using aws = await openSession({
      options: { deniedActions: { '*': ['s3:GetObject'], AKIATEST: ['s3:Put*'] } },
    });

    expect(await refusal(read(aws.roleS3, 'key'))).toMatchObject({ name: 'AccessDenied' });
    expect(await refusal(read(aws.s3, 'key'))).toMatchObject({ name: 'AccessDenied' });
    expect(await refusal(write(aws.s3, 'key'))).toMatchObject({ name: 'AccessDenied' });
    expect(await refusal(write(aws.roleS3, 'key'))).toBeUndefined();
  });

  it.each([
    ['s3:GetEncryptionConfiguration', new GetBucketEncryptionCommand({ Bucket: bucket })],
    ['s3:PutEncryptionConfiguration', new DeleteBucketEncryptionCommand({ Bucket: bucket })],
    ['s3:GetBucketOwnershipControls', new GetBucketOwnershipControlsCommand({ Bucket: bucket })],
    [
      's3:GetBucketObjectLockConfiguration',
      new GetObjectLockConfigurationCommand({ Bucket: bucket }),
    ],
    [
      's3:GetLifecycleConfiguration',
      new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }),
    ],
    ['s3:PutLifecycleConfiguration', new DeleteBucketLifecycleCommand({ Bucket: bucket })],
    ['s3:GetBucketPublicAccessBlock', new GetPublicAccessBlockCommand({ Bucket: bucket })],
    ['s3:GetBucketAcl', new GetBucketAclCommand({ Bucket: bucket })],
    ['s3:GetBucketLocation', new GetBucketLocationCommand({ Bucket: bucket })],
  ])('with %s refuse the operation that needs it', async (action, command) => {
    await using aws = await openAws({ deniedActions: { '*': [action] } });

    const refused = await refusal(aws.s3.send(command as GetBucketAclCommand));

    expect(refused?.name).toBe('AccessDenied');
    expect(refused?.message).toContain(`is not authorized to perform: ${action} on`);
  });

  it('apply to lists of buckets and to new buckets', async () => {
    await using aws = await openAws({
      deniedActions: { '*': ['s3:ListAllMyBuckets', 's3:CreateBucket'] },
    });

    const lists = aws.s3.send(new ListBucketsCommand({}));
    const creates = aws.s3.send(new CreateBucketCommand({ Bucket: 'new-one' }));

    expect(await refusal(lists)).toMatchObject({ name: 'AccessDenied' });
    expect(await refusal(creates)).toMatchObject({ name: 'AccessDenied' });
  });

  it('make CloudWatch Logs answer 400', async () => {
    await using aws = await openAws({ deniedActions: { '*': ['logs:FilterLogEvents'] } });

    const filter = aws.logs.send(new FilterLogEventsCommand({ logGroupName }));

    expect(await refusal(filter)).toEqual({
      name: 'AccessDeniedException',
      message: `User: arn:aws:iam::${account}:user/emulated is not authorized to perform: logs:FilterLogEvents on resource: arn:aws:logs:us-east-1:${account}:log-group:${logGroupName}:* because no identity-based policy allows the logs:FilterLogEvents action`,
      status: 400,
    });
    expect(await refusal(aws.logs.send(new DescribeLogGroupsCommand({})))).toBeUndefined();
  });

  it('with s3:PutObject refuse an export', async () => {
    await using aws = await openAws({ deniedActions: { '*': ['s3:PutObject'] } });

    expect((await refusal(aws.create()))?.message).toBe(
      'Please ensure that the CreateExportTask caller has been granted s3:PutObject access to the bucket.',
    );
  });

  it('with s3:ListBucket hide that a key does not exist', async () => {
    await using aws = await openAws();
    const head = () => aws.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'none' }));

    const open = [await refusal(read(aws.s3, 'none')), await refusal(head())];
    aws.emulator.options.change({ deniedActions: { '*': ['s3:ListBucket'] } });
    const hidden = [await refusal(read(aws.s3, 'none')), await refusal(head())];

    expect(open.map((error) => error?.status)).toEqual([404, 404]);
    expect(hidden.map((error) => error?.status)).toEqual([403, 403]);
  });
});

describe('a session policy', () => {
  const allow = (Action: string, Resource: string, Condition?: object) => ({
    Effect: 'Allow',
    Action,
    Resource,
    Condition,
  });
  const arn = `arn:aws:s3:::${bucket}`;

  it('limits what its session does in S3', async () => {
    await using aws = await openSession({
      policy: [
        allow('s3:ListBucket', arn, { StringLike: { 's3:prefix': 'a/*' } }),
        allow('s3:GetObject', `${arn}/a/*`),
      ],
    });
    await aws.put('a/1');
    await aws.put('b/1');

    expect(await refusal(list(aws.roleS3, 'a/'))).toBeUndefined();
    expect(await refusal(list(aws.roleS3, 'b/'))).toMatchObject({ name: 'AccessDenied' });
    expect(await refusal(list(aws.roleS3))).toMatchObject({ name: 'AccessDenied' });
    expect(await refusal(read(aws.roleS3, 'a/1'))).toBeUndefined();
    expect((await refusal(read(aws.roleS3, 'b/1')))?.message).toMatch(
      /on resource: "arn:aws:s3:::shop-exports\/b\/1" because no session policy allows the s3:GetObject action$/,
    );
    expect(await refusal(write(aws.roleS3, 'a/2'))).toMatchObject({ name: 'AccessDenied' });
  });
});

describe('a bucket policy', () => {
  const otherRole = 'arn:aws:iam::111122223333:role/looker';
  const putPolicy = async ({ s3 }: { s3: S3Client }, statement: object) => {
    const Policy = JSON.stringify({ Statement: [statement] });
    await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  };

  it('lets a role of another account in', async () => {
    await using aws = await openSession({ role: otherRole });
    const before = await refusal(list(aws.roleS3));
    await putPolicy(aws, {
      Effect: 'Allow',
      Principal: { AWS: otherRole },
      Action: ['s3:ListBucket', 's3:GetBucketPolicy'],
      Resource: `arn:aws:s3:::${bucket}`,
    });
    const policy = new GetBucketPolicyCommand({ Bucket: bucket });

    expect(before).toEqual({ name: 'AccessDenied', message: 'Access Denied', status: 403 });
    expect(await refusal(list(aws.roleS3))).toBeUndefined();
    expect(await refusal(aws.roleS3.send(policy))).toMatchObject({
      name: 'MethodNotAllowed',
      status: 405,
    });
  });

  it('keeps a role of its own account out with an explicit Deny', async () => {
    await using aws = await openSession({});
    const before = await refusal(list(aws.roleS3));
    await putPolicy(aws, {
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:*',
      Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
      Condition: { ArnNotEquals: { 'aws:PrincipalArn': `arn:aws:iam::${account}:role/admin` } },
    });

    expect(before).toBeUndefined();
    expect(await refusal(list(aws.roleS3))).toMatchObject({ status: 403 });
    expect(await refusal(list(aws.s3))).toBeUndefined();
  });
});
