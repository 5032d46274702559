import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { makeQueueView } from '#export-jobs/queue/position.ts';
import { memoryFolder } from '../../memory-folder.ts';
import { openReady } from '../../ready-database.ts';
import { insertAttempt, insertJob } from '../insert-rows.ts';
import { storageBackends } from '../storage-backends.ts';

const minuteMs = 60_000;
const now = Date.UTC(2024, 4, 2, 12);
const minutesAgo = (minutes: number) => now - minutes * minuteMs;

describe.each(storageBackends)('the view of the queue on %s', (_name, openStorage) => {
  let database: Database;
  let elapsed = 0;
  let targets = 0;
  beforeAll(async () => {
    const dataDir = mkdtempSync(join(memoryFolder, 'queue-view-'));
    database = await openReady({ ...(await openStorage()), dataDir, clock: () => now });
    await database.whenMigrated;
  });
  afterAll(() => database[Symbol.asyncDispose]());

  /** Opens a target for one test, and a view without a reading. */
  function openQueue() {
    targets += 1;
    const target = `target-${targets}`;
    const queue = makeQueueView(database, () => elapsed);
    const put = async (caller: string, slices: number[], priority = 0) => {
      const given = slices.map((readyAt) => ({ readyAt }));
      return {
        id: await insertJob(database, { target, caller, priority, slices: given }),
        target,
        caller,
        priority,
      };
    };
    /** Inserts an export of some minutes that ended some minutes ago. */
    const ran = async (endedMinutesAgo: number, forMinutes: number, outcome = 'completed') => {
      const jobId = await insertJob(database, { target, slices: [{ state: 'completed' }] });
      const endedAt = minutesAgo(endedMinutesAgo);
      const submittedAt = endedAt - forMinutes * minuteMs;
      await insertAttempt(database, {
        jobId,
        target,
        submittedAt,
        endedAt,
        outcome,
        taskId: 'a-task',
      });
    };
    return { target, queue, put, ran };
  }

  test('returns positions by priority, last start and age', async () => {
    const { target, queue, put } = openQueue();
    const first = await put('ana', [minutesAgo(9), minutesAgo(9), minutesAgo(9)]);
    const second = await put('ana', [minutesAgo(8)]);
    const other = await put('ben', [minutesAgo(1), minutesAgo(1)]);
    const urgent = await put('cem', [minutesAgo(0)], 5);
    const setTurn = database.queries.updateTable('lines').set({ lastTurn: 3 });
    await setTurn.where('target', '=', target).where('caller', '=', 'ana').execute();

    const positions = await Promise.all([first, second, other, urgent].map(queue.positionOf));

    // cem, then ben and ana in turn: cem ben ana ben ana ana ana.
    expect(positions).toEqual([{ position: 3 }, { position: 7 }, { position: 2 }, { position: 1 }]);
  });

  test('counts slices that become ready later at their time', async () => {
    const { queue, put, ran } = openQueue();
    await ran(5, 10);
    const mine = await put('ana', [minutesAgo(1), minutesAgo(1), minutesAgo(1)]);
    const later = await put('ana', [now + 25 * minuteMs]);
    await put('urgent', [now + 15 * minuteMs], 9);

    const positions = await Promise.all([mine, later].map(queue.positionOf));

    // ana at 0 and 10, the urgent one at 20, ana at 30, then the slice that became ready at 25.
    expect(positions).toEqual([
      {
        position: 1,
        estimatedStartAt: now,
        estimatedEndAt: now + 40 * minuteMs,
      },
      {
        position: 5,
        estimatedStartAt: now + 40 * minuteMs,
        estimatedEndAt: now + 50 * minuteMs,
      },
    ]);
  });

  test('returns the position of the first waiting slice, and none without one', async () => {
    const { target, queue } = openQueue();
    const job = { target, caller: 'ana', priority: 0 };
    const running = await insertJob(database, {
      ...job,
      slices: [{ state: 'completed' }, { state: 'running' }, {}, { state: 'cancelled' }, {}],
    });
    const ended = await insertJob(database, { ...job, slices: [{ state: 'completed' }] });

    const positions = [
      await queue.positionOf({ ...job, id: running }),
      await queue.positionOf({ ...job, id: ended }),
    ];

    expect(positions).toEqual([{ position: 1 }, undefined]);
  });

  test('estimates from past exports and from when the slot is free', async () => {
    const { target, queue, put, ran } = openQueue();
    await ran(31, 10); // then a pause of one minute
    await ran(20, 10);
    await ran(2, 2, 'cancelled'); // does not count
    const running = await insertJob(database, { target, slices: [{ state: 'running' }] });
    await insertAttempt(database, {
      jobId: running,
      target,
      submittedAt: minutesAgo(4),
      taskId: 'runs',
    });
    const mine = await put('ana', [minutesAgo(1), minutesAgo(1)]);

    const position = await queue.positionOf(mine);

    // The running task has 6 of 10 minutes left; each hand-off takes one.
    expect(position).toEqual({
      position: 1,
      estimatedStartAt: now + 7 * minuteMs,
      estimatedEndAt: now + 28 * minuteMs,
    });
  });

  test('counts waiting slices by priority and caller', async () => {
    const { target, queue, put } = openQueue();
    await put('ben', [minutesAgo(1)]);
    await put('ana', [minutesAgo(1), now, now + 1]);
    await put('ana', [minutesAgo(1)], 5);

    expect(await queue.depthOf(target)).toEqual([
      { priority: 5, caller: 'ana', waiting: 1, ready: 1 },
      { priority: 0, caller: 'ana', waiting: 3, ready: 2 },
      { priority: 0, caller: 'ben', waiting: 1, ready: 1 },
    ]);
  });

  const atOnce = (slices: number) => [{ at: 0, slices }];

  test('estimates a job that is not accepted yet', async () => {
    const { target, queue, put, ran } = openQueue();
    await put('ana', [minutesAgo(1), minutesAgo(1), minutesAgo(1)]);

    const nothingRan = await queue.estimate(target, atOnce(2), 0, 'ben');
    elapsed += 1_000;
    await ran(1, 10);
    elapsed += 100_000;
    const known = await queue.estimate(target, atOnce(2), 0, 'ben');
    const own = await queue.estimate(target, atOnce(2), 0, 'ana');
    const empty = await openQueue().queue.estimate('nobody-there', atOnce(1), 0, 'ana');

    // ana ben ana ben ana: queues that were never served go by name
    expect(nothingRan).toEqual({ slicesAhead: 1 });
    expect(known).toEqual({
      slicesAhead: 1,
      estimatedStartAt: now + 10 * minuteMs,
      estimatedEndAt: now + 40 * minuteMs,
    });
    expect(own.slicesAhead).toBe(3);
    expect(empty).toEqual({ slicesAhead: 0 });
  });

  test('estimates a job of a caller without waiting slices by its last start', async () => {
    const { target, queue, put } = openQueue();
    await put('ben', [minutesAgo(1)]);
    await insertJob(database, { target, caller: 'ana', slices: [{ state: 'completed' }] });
    const served = database.queries.updateTable('lines').set({ lastTurn: 1 });
    await served.where('target', '=', target).where('caller', '=', 'ana').execute();

    expect(await queue.estimate(target, atOnce(1), 0, 'ana')).toEqual({ slicesAhead: 1 });
  });

  test('estimates a job whose last slices wait for their log events', async () => {
    const { target, queue, put, ran } = openQueue();
    await put('ana', [minutesAgo(1), now + 30 * minuteMs, now + 200 * minuteMs]);
    await ran(1, 10);
    elapsed += 100_000;

    const later = { at: now + 120 * minuteMs, slices: 2 };
    const estimate = await queue.estimate(target, [...atOnce(1), later], 0, 'ana');

    // The first one starts after one of the same caller. Then the slot is free until the last ones may start.
    expect(estimate).toEqual({
      slicesAhead: 1,
      estimatedStartAt: now + 10 * minuteMs,
      estimatedEndAt: now + 140 * minuteMs,
    });
  });

  test('reads the queue once per second for all callers, and includes newer jobs', async () => {
    const { target, queue, put } = openQueue();
    const first = await put('ana', [minutesAgo(9)]);
    let statements = 0;
    const { queries } = database;
    const view = makeQueueView(
      {
        ...database,
        queries: queries.withPlugin({
          transformQuery: ({ node }) => {
            statements += 1;
            return node;
          },
          transformResult: async ({ result }) => result,
        }),
      },
      () => elapsed,
    );
    onTestFinished(() => {
      elapsed = 0;
    });

    await Promise.all(Array.from({ length: 500 }, () => view.positionOf(first)));
    const forOne = statements;
    await Promise.all(Array.from({ length: 500 }, () => view.depthOf(target)));
    expect(statements).toBe(forOne);
    const second = await put('ana', [minutesAgo(8)]);
    const position = await view.positionOf(second);

    expect(position).toEqual({ position: 2 });
    expect(forOne).toBeLessThan(15);
    expect(await queue.positionOf(second)).toEqual({ position: 2 });
  });
});
