import {
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
  ListTagsForResourceCommand,
  ListTagsLogGroupCommand,
  PutRetentionPolicyCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { logGroupName, openBench, refusal } from '../bench.ts';

type Bench = Awaited<ReturnType<typeof openBench>>;

const groupOf = async ({ logs }: Bench) =>
  (await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName })))
    .logGroups?.[0];
const noSuchGroup = {
  name: 'ResourceNotFoundException',
  message: 'The specified log group does not exist.',
  status: 400,
};

describe('DeleteLogGroup', () => {
  it('removes the group, once', async () => {
    await using bench = await openBench();
    const remove = () => bench.logs.send(new DeleteLogGroupCommand({ logGroupName }));

    await remove();

    expect(await groupOf(bench)).toBeUndefined();
    expect(await refusal(remove())).toEqual(noSuchGroup);
  });

  it('lets an export of the group that runs fail', async () => {
    await using bench = await openBench();
    const taskId = await bench.create();

    await bench.logs.send(new DeleteLogGroupCommand({ logGroupName }));
    bench.emulator.clock.advance(5_000);

    expect((await bench.describe(taskId))?.status?.code).toBe('FAILED');
  });
});

describe('the retention of a group', () => {
  it('is put, shown and taken away', async () => {
    await using bench = await openBench();

    await bench.logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 30 }));
    const put = await groupOf(bench);
    await bench.logs.send(new DeleteRetentionPolicyCommand({ logGroupName }));

    expect(put?.retentionInDays).toBe(30);
    expect(await groupOf(bench)).not.toHaveProperty('retentionInDays');
  });

  it('is one of the numbers of days that AWS takes', async () => {
    await using bench = await openBench();
    const put = (retentionInDays: number, name = logGroupName) =>
      bench.logs.send(new PutRetentionPolicyCommand({ logGroupName: name, retentionInDays }));

    expect(await refusal(put(2))).toMatchObject({ name: 'InvalidParameterException' });
    expect(await refusal(put(7, '/none'))).toEqual(noSuchGroup);
  });
});

describe('the tags of a group', () => {
  it('are given with it, listed by ARN and by name, added and removed', async () => {
    await using bench = await openBench();
    await bench.logs.send(
      new CreateLogGroupCommand({ logGroupName: '/tagged', tags: { team: 'shop', tier: '1' } }),
    );
    const resourceArn = 'arn:aws:logs:us-east-1:123456789012:log-group:/tagged';
    const list = async () =>
      (await bench.logs.send(new ListTagsForResourceCommand({ resourceArn }))).tags;

    const given = await list();
    await bench.logs.send(new TagResourceCommand({ resourceArn, tags: { tier: '2', new: '' } }));
    await bench.logs.send(new UntagResourceCommand({ resourceArn, tagKeys: ['team', 'none'] }));

    expect(given).toEqual({ team: 'shop', tier: '1' });
    expect(await list()).toEqual({ tier: '2', new: '' });
    const byName = await bench.logs.send(new ListTagsLogGroupCommand({ logGroupName: '/tagged' }));
    expect(byName.tags).toEqual({ tier: '2', new: '' });
  });

  it('are at most 50, with the characters AWS takes', async () => {
    await using bench = await openBench();
    const resourceArn = `arn:aws:logs:us-east-1:123456789012:log-group:${logGroupName}`;
    const tag = (tags: Record<string, string>) =>
      bench.logs.send(new TagResourceCommand({ resourceArn, tags }));
    const many = (count: number, prefix: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}`, 'x']));

    await tag(many(50, 'a'));

    expect(await refusal(tag(many(1, 'b')))).toMatchObject({ name: 'TooManyTagsException' });
    for (const bad of [many(51, 'c'), { 'a*': 'x' }, { a: '*' }, { ['k'.repeat(129)]: 'x' }]) {
      expect(await refusal(tag(bad))).toMatchObject({ name: 'InvalidParameterException' });
    }
  });
});

it('groups of the classes ESSENTIALS and INFREQUENT_ACCESS are found by either', async () => {
  await using bench = await openBench();
  bench.emulator.seed.logGroup({ logGroupName: '/a', logGroupClass: 'INFREQUENT_ACCESS' });
  bench.emulator.seed.logGroup({ logGroupName: '/b', logGroupClass: 'ESSENTIALS' });
  const find = async (logGroupClass: 'INFREQUENT_ACCESS' | 'STANDARD') => {
    const { logGroups } = await bench.logs.send(new DescribeLogGroupsCommand({ logGroupClass }));
    return logGroups?.map((group) => [group.logGroupName, group.logGroupClass]);
  };

  expect(await find('INFREQUENT_ACCESS')).toEqual([
    ['/a', 'INFREQUENT_ACCESS'],
    ['/b', 'ESSENTIALS'],
  ]);
  expect(await find('STANDARD')).toEqual([[logGroupName, 'STANDARD']]);
});
