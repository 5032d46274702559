import {
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  ListTagsForResourceCommand,
  ListTagsLogGroupCommand,
  PutLogGroupDeletionProtectionCommand,
  PutRetentionPolicyCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { logGroupName, openAws, refusal } from '../aws.ts';

type Aws = Awaited<ReturnType<typeof openAws>>;

const groupOf = async ({ logs }: Aws) =>
  (await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName })))
    .logGroups?.[0];
const noSuchGroup = {
  name: 'ResourceNotFoundException',
  message: 'The specified log group does not exist.',
  status: 400,
};

describe('an ARN of another account or Region', () => {
  it.each([
    `arn:aws:logs:us-east-1:999999999999:log-group:${logGroupName}`,
    `arn:aws:logs:eu-west-1:123456789012:log-group:${logGroupName}`,
    `arn:aws-cn:logs:us-east-1:123456789012:log-group:${logGroupName}`,
  ])('names no group here: %s', async (arn) => {
    await using aws = await openAws();
    const commands = [
      new TagResourceCommand({ resourceArn: arn, tags: { team: 'shop' } }),
      new UntagResourceCommand({ resourceArn: arn, tagKeys: ['team'] }),
      new ListTagsForResourceCommand({ resourceArn: arn }),
      new DescribeLogStreamsCommand({ logGroupIdentifier: arn }),
      new PutLogGroupDeletionProtectionCommand({
        logGroupIdentifier: arn,
        deletionProtectionEnabled: true,
      }),
    ];

    for (const command of commands) {
      const sent = aws.logs.send(command as TagResourceCommand);
      expect(await refusal(sent)).toMatchObject(noSuchGroup);
    }
    const groups = new DescribeLogGroupsCommand({ logGroupIdentifiers: [arn] });
    expect((await aws.logs.send(groups)).logGroups).toEqual([]);
    expect((await groupOf(aws))?.deletionProtectionEnabled).toBe(false);
  });
});

describe('DeleteLogGroup', () => {
  it('removes the group and rejects an unknown one', async () => {
    await using aws = await openAws();
    const remove = () => aws.logs.send(new DeleteLogGroupCommand({ logGroupName }));

    await remove();

    expect(await groupOf(aws)).toBeUndefined();
    expect(await refusal(remove())).toEqual(noSuchGroup);
  });

  it('rejects a protected group', async () => {
    await using aws = await openAws();
    const protect = (deletionProtectionEnabled: boolean) =>
      aws.logs.send(
        new PutLogGroupDeletionProtectionCommand({
          logGroupIdentifier: logGroupName,
          deletionProtectionEnabled,
        }),
      );
    const remove = () => aws.logs.send(new DeleteLogGroupCommand({ logGroupName }));

    await protect(true);

    expect(await refusal(remove())).toMatchObject({ name: 'ValidationException' });
    expect((await groupOf(aws))?.deletionProtectionEnabled).toBe(true);
    await protect(false);
    expect(await refusal(remove())).toBeUndefined();
  });

  it('ends a running export of the group FAILED', async () => {
    await using aws = await openAws();
    const taskId = await aws.create();

    await aws.logs.send(new DeleteLogGroupCommand({ logGroupName }));
    aws.emulator.clock.advance(5_000);

    expect((await aws.describe(taskId))?.status?.code).toBe('FAILED');
  });
});

describe('the retention of a group', () => {
  it('is set, shown and removed', async () => {
    await using aws = await openAws();

    await aws.logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 30 }));
    const put = await groupOf(aws);
    await aws.logs.send(new DeleteRetentionPolicyCommand({ logGroupName }));

    expect(put?.retentionInDays).toBe(30);
    expect(await groupOf(aws)).not.toHaveProperty('retentionInDays');
  });

  it('accepts only the numbers of days that AWS documents', async () => {
    await using aws = await openAws();
    const put = (retentionInDays: number, name = logGroupName) =>
      aws.logs.send(new PutRetentionPolicyCommand({ logGroupName: name, retentionInDays }));

    expect(await refusal(put(2))).toMatchObject({ name: 'InvalidParameterException' });
    expect(await refusal(put(7, '/none'))).toEqual(noSuchGroup);
  });
});

describe('the tags of a group', () => {
  it('are set at creation, listed by ARN and by name, added and removed', async () => {
    await using aws = await openAws();
    await aws.logs.send(
      new CreateLogGroupCommand({ logGroupName: '/tagged', tags: { team: 'shop', tier: '1' } }),
    );
    const resourceArn = 'arn:aws:logs:us-east-1:123456789012:log-group:/tagged';
    const list = async () =>
      (await aws.logs.send(new ListTagsForResourceCommand({ resourceArn }))).tags;

    const given = await list();
    await aws.logs.send(new TagResourceCommand({ resourceArn, tags: { tier: '2', new: '' } }));
    await aws.logs.send(new UntagResourceCommand({ resourceArn, tagKeys: ['team', 'none'] }));

    expect(given).toEqual({ team: 'shop', tier: '1' });
    expect(await list()).toEqual({ tier: '2', new: '' });
    const byName = await aws.logs.send(new ListTagsLogGroupCommand({ logGroupName: '/tagged' }));
    expect(byName.tags).toEqual({ tier: '2', new: '' });
  });

  it('are limited to 50 and to the characters of AWS', async () => {
    await using aws = await openAws();
    const resourceArn = `arn:aws:logs:us-east-1:123456789012:log-group:${logGroupName}`;
    const tag = (tags: Record<string, string>) =>
      aws.logs.send(new TagResourceCommand({ resourceArn, tags }));
    const many = (count: number, prefix: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, 'x']));

    await tag(many(50, 'a'));

    expect(await refusal(tag(many(1, 'b')))).toMatchObject({ name: 'TooManyTagsException' });
    for (const bad of [many(51, 'c'), { 'a*': 'x' }, { a: '*' }, { ['k'.repeat(129)]: 'x' }]) {
      expect(await refusal(tag(bad))).toMatchObject({ name: 'InvalidParameterException' });
    }
  });
});

it('a filter for ESSENTIALS or INFREQUENT_ACCESS finds groups of both classes', async () => {
  await using aws = await openAws();
  aws.emulator.seed.logGroup({ logGroupName: '/a', logGroupClass: 'INFREQUENT_ACCESS' });
  aws.emulator.seed.logGroup({ logGroupName: '/b', logGroupClass: 'ESSENTIALS' });
  const find = async (logGroupClass: 'INFREQUENT_ACCESS' | 'STANDARD') => {
    const { logGroups } = await aws.logs.send(new DescribeLogGroupsCommand({ logGroupClass }));
    return logGroups?.map((group) => [group.logGroupName, group.logGroupClass]);
  };

  expect(await find('INFREQUENT_ACCESS')).toEqual([
    ['/a', 'INFREQUENT_ACCESS'],
    ['/b', 'ESSENTIALS'],
  ]);
  expect(await find('STANDARD')).toEqual([[logGroupName, 'STANDARD']]);
});
