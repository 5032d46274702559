import { CloudWatchLogsClient, DescribeExportTasksCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, test } from 'vitest';

import { keysOfTarget } from '#aws/regions/calling-target.ts';
import { openWorld, region } from '../../world.ts';
import { openTargetsOf } from './targets-of-region.ts';

const accounts = ['111111111111', '222222222222'];

describe('targets of one Region', () => {
  test('sign each of thousands of interleaved calls with their own session', async () => {
    await using world = await openWorld({
      emulator: { activeTaskLimit: Number.POSITIVE_INFINITY },
    });
    using opened = openTargetsOf(accounts, world);

    for (let wave = 0; wave < 30; wave += 1) {
      const calls = Array.from({ length: 16 }, (_, index) =>
        opened.targets.flatMap(({ accountId, logs, create, createScoped }) => [
          logs.describeExportTasks({ taskId: `${accountId}-${wave}` }),
          logs.describeLogGroups({ logGroupNamePrefix: `/app/${accountId}`, limit: 1 }),
          index % 8 === 0 ? createScoped() : undefined,
          index % 8 === 4 ? create() : undefined,
        ]),
      );
      await Promise.all(calls.flat());
    }

    const entries = world.emulator.journal.entries().filter(({ service }) => service === 'logs');
    const ownerIn = (input: unknown) => /\d{12}/.exec(JSON.stringify(input))?.[0];
    expect(entries).toHaveLength(30 * 2 * (16 + 16 + 4));
    expect(entries.filter(({ status }) => status !== 200)).toEqual([]);
    expect(entries.filter(({ accountId, input }) => accountId !== ownerIn(input))).toEqual([]);
    const scoped = entries.filter(({ sourceIdentity }) => sourceIdentity !== undefined);
    expect(scoped).toHaveLength(30 * 2 * 2);
  });

  test('have one session each, and one client', async () => {
    await using world = await openWorld();
    using opened = openTargetsOf(accounts, world);

    await Promise.all(
      Array.from({ length: 50 }, () =>
        opened.targets.map(({ logs }) => logs.describeExportTasks({})),
      ).flat(),
    );

    const roles = world
      .calls('AssumeRole')
      .map(({ input }) => (input as { RoleArn: string }).RoleArn);
    expect(roles.toSorted()).toEqual(
      accounts.map((accountId) => `arn:aws:iam::${accountId}:role/log-export`),
    );
  });

  test('report retries and throttling to their own budget', async () => {
    await using world = await openWorld();
    using opened = openTargetsOf(accounts, world);
    const [first, second] = opened.targets;
    await second?.logs.describeExportTasks({});
    world.emulator.faults.add({
      operation: 'DescribeExportTasks',
      kind: 'error',
      code: 'ThrottlingException',
    });

    await first?.logs.describeExportTasks({});

    expect(first?.attempts).toEqual(['throttled', 'retry']);
    expect(second?.attempts).toEqual([]);
  });

  test('retry a failed read although another target has used up its retries', async () => {
    await using world = await openWorld();
    using opened = openTargetsOf(accounts, world);
    const [first, second] = opened.targets;
    const failing = { operation: 'DescribeExportTasks', kind: 'error', status: 500 } as const;
    world.emulator.faults.add({ ...failing, count: 1_000 });
    const sent = () => world.calls('DescribeExportTasks').length;
    // A call without a retry shows that the quota of its target is used up.
    for (let before = -2; sent() - before > 1; ) {
      before = sent();
      await first?.logs.describeExportTasks({}).catch(() => {});
    }
    const sentByFirst = sent();
    world.emulator.faults.clear();
    world.emulator.faults.add(failing);

    const page = await second?.logs.describeExportTasks({});

    expect(sentByFirst).toBeGreaterThan(10);
    expect(page?.exportTasks).toEqual([]);
  });
});

test('a call of a shared AWS client that belongs to no target fails before it is sent', async () => {
  await using world = await openWorld();
  const client = new CloudWatchLogsClient({ region, credentials: keysOfTarget });

  const error = await client.send(new DescribeExportTasksCommand({})).catch((found) => found);
  client.destroy();

  expect(error.message).toBe('a call of a shared AWS client belongs to no target');
  expect(world.emulator.journal.entries()).toEqual([]);
});
