import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openToAll } from '#auth/access.ts';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { anonymous } from '#auth/principal.ts';
import type { Database } from '#database/database.ts';
import { makeReadTimeline } from '#export-jobs/operations/read-timeline.ts';
import { recordForeignTask } from '#export-jobs/store/steps/record-foreign-task.ts';
import { makePolicyFolder, openPolicyDir } from '../../auth/policy-folder.ts';
import { insertAttempt, insertJob } from '../insert-rows.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

const startAt = Date.UTC(2024, 4, 2);
const hourMs = 3_600_000;

describe.each(storageBackends)('the timeline of a slot on %s', (_name, openStorage) => {
  let database: Database;
  let now = startAt;
  beforeAll(async () => {
    database = await openStore(openStorage, () => now);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const timelineOf = (
    name: string,
    hours?: 1 | 6 | 24,
    authorizer: Authorizer = openToAll.authorizer,
    place: { accountId: string | undefined; region: string } = {
      accountId: undefined,
      region: 'r',
    },
  ) =>
    makeReadTimeline({
      database,
      authorizer,
      visibility: {
        findHiddenJobs: async () => new Set(),
        findReadableQueues: async () => [],
      },
      elapsed: () => 0,
    })(
      { principal: anonymous, id: 'r' },
      {
        name,
        ...place,
        isDefault: true,
        state: 'ready',
        since: 0,
        problem: undefined,
      },
      hours,
    );

  /** A slot that a replica owns. */
  async function slotOf(target: string) {
    const lease = { target, owner: 'a', fence: 1 };
    await database.queries
      .insertInto('slots')
      .values({ ...lease, accountId: '1', region: 'r', leasedUntil: now + hourMs })
      .execute();
    return lease;
  }

  test('has the tasks of a day by caller, and when their slices waited', async () => {
    now = startAt;
    const target = 'by-caller';
    const of = async (caller: string, readyAt: number, from: number, to: number | null) => {
      const state = to === null ? 'running' : 'completed';
      const jobId = await insertJob(database, { target, caller, slices: [{ state, readyAt }] });
      const outcome = to === null ? null : 'completed';
      await insertAttempt(database, {
        jobId,
        target,
        taskId: jobId,
        submittedAt: from,
        endedAt: to,
        outcome,
      });
    };
    await of('old', startAt - 40 * hourMs, startAt - 30 * hourMs, startAt - 25 * hourMs);
    await of('ann', startAt - 6 * hourMs, startAt - 5 * hourMs, startAt - 4 * hourMs);
    await of('bob', startAt - 5.5 * hourMs, startAt - 2 * hourMs, null);

    const { from, to, callers, waits } = await timelineOf(target);

    expect([from, to]).toEqual([startAt - 24 * hourMs, startAt]);
    expect(callers).toEqual([
      {
        caller: 'ann',
        runs: [{ from: startAt - 5 * hourMs, to: startAt - 4 * hourMs, state: 'completed' }],
      },
      { caller: 'bob', runs: [{ from: startAt - 2 * hourMs, to: startAt, state: 'running' }] },
    ]);
    expect(waits).toEqual([{ from: startAt - 6 * hourMs, to: startAt - 2 * hourMs }]);
  });

  test('of an hour has only what is in that hour', async () => {
    now = startAt;

    const { from, callers, waits } = await timelineOf('by-caller', 1);

    expect(from).toBe(startAt - hourMs);
    expect(callers).toEqual([{ caller: 'bob', runs: [{ from, to: startAt, state: 'running' }] }]);
    expect(waits).toEqual([]);
  });

  test('has a slice that waits until now', async () => {
    now = startAt;
    await insertJob(database, { target: 'waiting', slices: [{ readyAt: startAt - hourMs }] });

    expect((await timelineOf('waiting')).waits).toEqual([{ from: startAt - hourMs, to: startAt }]);
  });

  test('has foreign tasks from their begin until they were missed', async () => {
    now = startAt;
    const lease = await slotOf('foreign');
    const first = { taskId: 't-1', logGroupName: '/a', since: startAt - hourMs };
    await recordForeignTask(database, lease, first);
    now += 60_000;
    await recordForeignTask(database, lease, first);
    now += 60_000;
    await recordForeignTask(database, lease, undefined);
    now += 60_000;
    await recordForeignTask(database, lease, {
      taskId: 't-2',
      logGroupName: undefined,
      since: undefined,
    });
    now += 1_000;

    const { foreignTasks } = await timelineOf('foreign');

    expect(foreignTasks).toEqual([
      { taskId: 't-1', logGroupName: '/a', from: startAt - hourMs, to: startAt + 120_000 },
    ]);
    now += 1_000;
    await recordForeignTask(database, lease, {
      taskId: 't-2',
      logGroupName: undefined,
      since: undefined,
    });
    expect((await timelineOf('foreign')).foreignTasks).toHaveLength(2);
  });

  test('names a foreign task only if the policies permit its destination', async () => {
    now = startAt;
    const target = 'destinations';
    const lease = await slotOf(target);
    const record = (taskId: string, destination?: string, destinationPrefix?: string) => {
      const resources = { logGroupName: '/a', destination, destinationPrefix };
      return recordForeignTask(database, lease, { taskId, ...resources, since: now - hourMs });
    };
    await record('open', 'open', 'a/b');
    await record('secret-bucket', 'secret', 'a/b');
    await record('secret-prefix', 'open', 'secret/b');
    await record('of-an-older-replica');
    using folder = makePolicyFolder({
      'a.cedar': `permit(principal, action, resource);
        forbid(principal, action, resource) when {
          (context has destination && context.destination == "secret") ||
          (context has destinationPrefix && context.destinationPrefix like "secret/*")
        };`,
    });
    await using policies = await openPolicyDir(folder.path);

    const { foreignTasks } = await timelineOf(target, 24, policies.authorizer);

    expect(foreignTasks).toHaveLength(4);
    expect(foreignTasks.flatMap(({ taskId }) => taskId ?? [])).toEqual(['open']);
    expect(foreignTasks.flatMap(({ logGroupName }) => logGroupName ?? [])).toEqual(['/a']);
    await record('of-an-older-replica', 'open');
    const again = await timelineOf(target, 24, policies.authorizer);
    expect(again.foreignTasks.flatMap(({ taskId }) => taskId ?? []).sort()).toEqual([
      'of-an-older-replica',
      'open',
    ]);
  });

  test.for([
    ['account', '1'],
    ['region', 'r'],
  ] as const)(
    'decides about a foreign task with the %s in which it was seen',
    async ([attribute, value]) => {
      now = startAt;
      const target = `seen-in-${attribute}`;
      const lease = await slotOf(target);
      const resources = { logGroupName: '/a', destination: 'b', destinationPrefix: 'c' };
      await recordForeignTask(database, lease, { taskId: 't', ...resources, since: now - hourMs });
      using folder = makePolicyFolder({
        'a.cedar': `permit(principal, action, resource);
        forbid(principal, action, resource is LogGroup) when { resource.${attribute} == "${value}" };`,
      });
      await using policies = await openPolicyDir(folder.path);

      const moved = { accountId: '2', region: 'other' };
      const { foreignTasks } = await timelineOf(target, 24, policies.authorizer, moved);

      expect(foreignTasks).toEqual([{ from: startAt - hourMs, to: startAt }]);
    },
  );

  test('keeps foreign tasks for two days', async () => {
    now = startAt;
    const lease = await slotOf('old');
    const task = (taskId: string) => ({ taskId, logGroupName: '/a', since: now });
    await recordForeignTask(database, lease, task('first'));
    now += 47 * hourMs;
    await recordForeignTask(database, lease, task('second'));
    now += 2 * hourMs;
    await recordForeignTask(database, lease, task('third'));

    const rows = await database.queries
      .selectFrom('foreignTasks')
      .select('taskId')
      .where('target', '=', 'old')
      .orderBy('taskId')
      .execute();
    expect(rows.map(({ taskId }) => taskId)).toEqual(['second', 'third']);
  });

  test('records nothing after another replica has taken the slot', async () => {
    now = startAt;
    const lease = await slotOf('taken');

    await recordForeignTask(
      database,
      { ...lease, fence: 2 },
      { taskId: 't', logGroupName: '/a', since: 1 },
    );

    expect((await timelineOf('taken')).foreignTasks).toEqual([]);
  });
});
