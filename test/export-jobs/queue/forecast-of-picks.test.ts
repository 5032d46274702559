import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { forecast } from '#export-jobs/queue/forecast.ts';
import { readArrivals, readCallerQueues, readStartCount } from '#export-jobs/queue/read-queue.ts';
import { takeLease } from '#export-jobs/store/steps/lease.ts';
import { startNext } from '#export-jobs/store/steps/start-next.ts';
import { openStore, storageBackends } from '../homes.ts';
import { putJob } from '../rows.ts';

// The rule of who is next stands in SQL and in the forecast: here one is held to the other.

/** A queue at an instant; times in minutes after it. */
interface Queue {
  turns: number;
  /** From one start to the next; with 0 all start at that instant. */
  pace: number;
  queues: {
    priority: number;
    caller: string;
    lastTurn: number;
    asideFor: number;
    /** When each slice is ready. */
    readyIn: number[];
  }[];
}

const minuteMs = 60_000;
const beganAt = Date.UTC(2024, 4, 1);
const leaseMs = 24 * 60 * minuteMs;

const queues: fc.Arbitrary<Queue> = fc.record({
  turns: fc.integer({ min: 20, max: 40 }),
  pace: fc.integer({ min: 0, max: 3 }),
  queues: fc.uniqueArray(
    fc.record({
      priority: fc.integer({ min: -1, max: 1 }),
      caller: fc.constantFrom('ana', 'ben', 'cem'),
      lastTurn: fc.integer({ min: 0, max: 20 }),
      asideFor: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 })),
      readyIn: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 })), {
        maxLength: 6,
      }),
    }),
    { minLength: 1, maxLength: 5, selector: ({ priority, caller }) => `${priority} ${caller}` },
  ),
});

async function putQueue(database: Database, target: string, { turns, queues }: Queue) {
  const slot = { target, accountId: '1', region: 'r', turns };
  await database.queries.insertInto('slots').values(slot).execute();
  for (const { priority, caller, lastTurn, asideFor, readyIn } of queues) {
    const slices = readyIn.map((minutes) => ({ readyAt: beganAt + minutes * minuteMs }));
    await putJob(database, { target, priority, caller, slices });
    await database.queries
      .updateTable('lines')
      .set({ lastTurn, asideUntil: asideFor && beganAt + asideFor * minuteMs })
      .where('target', '=', target)
      .where('priority', '=', priority)
      .where('caller', '=', caller)
      .execute();
  }
}

/** Every start in order, as the forecast of each queue says. */
async function foretell({ queries }: Database, target: string, pace: number) {
  const turns = await readStartCount(queries, target);
  const arrivals = await readArrivals(queries, target, beganAt);
  const queues = (await readCallerQueues(queries, target, beganAt)).map((queue) => ({
    ...queue,
    arrivals: arrivals.filter(
      ({ priority, caller }) => priority === queue.priority && caller === queue.caller,
    ),
  }));
  return queues
    .flatMap(({ priority, caller, waiting }) => {
      const ranks = Array.from({ length: waiting }, (_, index) => index + 1);
      const asked = { queues, turns, priority, caller, ranks };
      const starts = forecast({ ...asked, freeAt: beganAt, paceMs: pace * minuteMs });
      return starts.map((start) => ({ ...start, priority, caller }));
    })
    .sort((one, other) => one.position - other.position);
}

describe.each(storageBackends)('on %s', (_name, openStorage) => {
  test('who is next is whom the forecast says, at the time it says, in every queue', {
    timeout: 240_000, // on a machine with a lot else to do
  }, async () => {
    let now = beganAt;
    await using database = await openStore(openStorage, () => now);

    await fc.assert(
      fc.asyncProperty(queues, async (queue) => {
        now = beganAt;
        const target = randomUUID();
        await putQueue(database, target, queue);
        const request = { target, accountId: '1', region: 'r', owner: 'test', leaseMs };
        const { lease } = await takeLease(database, request);
        const foretold = await foretell(database, target, queue.pace);

        const started: { priority: number; caller: string }[] = [];
        for (const { at } of foretold) {
          now = at;
          const intent = lease && (await startNext(database, lease, making));
          if (!intent) break;
          const { jobId, slice, priority, caller } = intent;
          started.push({ priority, caller });
          await database.queries
            .updateTable('slices')
            .set({ state: 'completed' })
            .where('jobId', '=', jobId)
            .where('number', '=', slice)
            .execute();
        }

        expect(started).toEqual(foretold.map(({ priority, caller }) => ({ priority, caller })));
      }),
      { numRuns: 12 },
    );
  });
});

const making = {
  leaseMs,
  makeMarker: () => randomUUID(),
  makePrefix: (template: string) => template,
  reachInside: async () => {},
};
