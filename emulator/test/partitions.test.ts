import { CreateExportTaskCommand, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { HeadBucketCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import type { EmulatorOptions } from '../src/emulator.ts';
import { openAws, refusal } from './aws.ts';

const accountId = '123456789012';

/** Clients in a Region with a log group `/app` and a bucket `archive` without a policy. */
async function openRegion(region: string, options: EmulatorOptions = {}) {
  const aws = await openAws(options);
  aws.emulator.seed.logGroup({ region, logGroupName: '/app' });
  aws.emulator.seed.bucket({ region, bucket: 'archive', policy: null });
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };
  const sts = new STSClient({ endpoint: aws.emulator.url, region, credentials, maxAttempts: 1 });
  const s3 = aws.s3For(undefined, region);
  const order = { logGroupName: '/app', from: 0, to: 1, destination: 'archive' };
  return {
    ...aws,
    s3,
    sts,
    create: (logs = aws.logsFor(undefined, region)) =>
      logs.send(new CreateExportTaskCommand(order)),
    /** Permits exports to a service, in a bucket policy with ARNs of that partition. */
    permit: (partition: string, Service: string | string[]) => {
      const Resource = [`arn:${partition}:s3:::archive`, `arn:${partition}:s3:::archive/*`];
      const Statement = { Effect: 'Allow', Principal: { Service }, Action: 's3:*', Resource };
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
      return s3.send(new PutBucketPolicyCommand({ Bucket: 'archive', Policy }));
    },
  };
}

describe.each([
  ['aws', 'eu-west-1', 'amazonaws.com'],
  ['aws-us-gov', 'us-gov-west-1', 'amazonaws.com'],
  ['aws-cn', 'cn-north-1', 'amazonaws.com.cn'],
  ['aws-eusc', 'eusc-de-east-1', 'amazonaws.eu'],
  ['aws-iso', 'us-iso-east-1', 'c2s.ic.gov'],
  ['aws-iso-b', 'us-isob-east-1', 'sc2s.sgov.gov'],
  ['aws-iso-e', 'eu-isoe-west-1', 'cloud.adc-e.uk'],
  ['aws-iso-f', 'us-isof-south-1', 'csp.hci.ic.gov'],
])('in the partition %s, Region %s', (partition, region, suffix) => {
  it('writes ARNs with that partition', async () => {
    await using aws = await openRegion(region);
    const logs = aws.logsFor(undefined, region);

    const { logGroups } = await logs.send(new DescribeLogGroupsCommand({}));
    const head = await aws.s3.send(new HeadBucketCommand({ Bucket: 'archive' }));
    const caller = await aws.sts.send(new GetCallerIdentityCommand({}));

    const group = `arn:${partition}:logs:${region}:${accountId}:log-group:/app`;
    expect(logGroups).toMatchObject([{ arn: `${group}:*`, logGroupArn: group }]);
    expect(head.BucketArn).toBe(`arn:${partition}:s3:::archive`);
    expect(caller.Arn).toBe(`arn:${partition}:iam::${accountId}:user/emulated`);
  });

  it.each([
    `logs.${region}.${suffix}`,
    `logs.${suffix}`,
    `logs.${region}.amazonaws.com`,
    'logs.amazonaws.com',
  ])('accepts %s as principal of CloudWatch Logs', async (principal) => {
    await using aws = await openRegion(region);

    expect(await refusal(aws.create())).toMatchObject({ name: 'AccessDeniedException' });
    await aws.permit(partition, principal);
    expect(await refusal(aws.create())).toBeUndefined();
  });

  it('rejects an export when the bucket policy has ARNs of another partition', async () => {
    await using aws = await openRegion(region);
    const other = partition === 'aws' ? 'aws-cn' : 'aws';

    await aws.permit(other, 'logs.amazonaws.com');

    expect(await refusal(aws.create())).toMatchObject({ name: 'AccessDeniedException' });
  });

  it('permits a session of a role of that partition what its policy allows', async () => {
    await using aws = await openRegion(region);
    await aws.permit(partition, 'logs.amazonaws.com');
    const assume = async (role: string, policyPartition: string) => {
      const Action = ['logs:CreateExportTask', 's3:PutObject'];
      const Resource = [
        `arn:${policyPartition}:logs:${region}:${accountId}:log-group:/app:*`,
        `arn:${policyPartition}:s3:::archive/*`,
      ];
      const { Credentials, AssumedRoleUser } = await aws.sts.send(
        new AssumeRoleCommand({
          RoleArn: `arn:${role}:iam::${accountId}:role/log-export`,
          RoleSessionName: 'test',
          Policy: JSON.stringify({ Statement: { Effect: 'Allow', Action, Resource } }),
        }),
      );
      const keys = {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      };
      return { logs: aws.logsFor(keys, region), arn: AssumedRoleUser?.Arn };
    };
    const other = partition === 'aws' ? 'aws-cn' : 'aws';

    const own = await assume(partition, partition);
    const misdirected = await assume(partition, other);

    expect(own.arn).toBe(`arn:${partition}:sts::${accountId}:assumed-role/log-export/test`);
    expect(await refusal(aws.create(misdirected.logs))).toMatchObject({
      name: 'AccessDeniedException',
    });
    expect(await refusal(aws.create(own.logs))).toBeUndefined();
    expect(await refusal(assume(other, partition))).toMatchObject({ name: 'AccessDenied' });
  });
});

it.each([
  ['own-suffix', 'logs.cn-north-1.amazonaws.com.cn', 'logs.amazonaws.com'],
  ['amazonaws.com', 'logs.amazonaws.com', 'logs.cn-north-1.amazonaws.com.cn'],
] as const)(
  'China accepts only principals with %s if otherPartitionPrincipals says so',
  async (option, right, wrong) => {
    await using aws = await openRegion('cn-north-1', { otherPartitionPrincipals: option });

    await aws.permit('aws-cn', wrong);
    expect(await refusal(aws.create())).toMatchObject({ name: 'AccessDeniedException' });
    await aws.permit('aws-cn', [wrong, right]);
    expect(await refusal(aws.create())).toBeUndefined();
  },
);
