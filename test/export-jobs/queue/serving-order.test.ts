import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { forecast } from '#export-jobs/queue/forecast.ts';
import { readArrivals, readCallerQueues, readStartCount } from '#export-jobs/queue/read-queue.ts';
import { compareQueues } from '#export-jobs/queue/serving-order.ts';
import { claimNextSlice } from '#export-jobs/store/steps/claim-next-slice.ts';
import { type Lease, takeLease } from '#export-jobs/store/steps/hold-lease.ts';
import { countTurns } from '../../turns.ts';
import { insertJob } from '../insert-rows.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

// The dispatcher starts slice by slice, the forecast counts whole rounds: both must agree.

/** The queues of a target; times in minutes after `beganAt`. */
interface TargetCase {
  startsSoFar: number;
  /** From one start to the next; with 0 all starts are at one instant. */
  pace: number;
  queues: {
    priority: number;
    caller: string;
    lastServed: number;
    lastTenth: number;
    asideFor: number;
    /** When each slice is ready. */
    readyIn: number[];
  }[];
}

/** A start, forecast or real. */
interface Start {
  position: number;
  at: number;
  priority: number;
  caller: string;
}

const minuteMs = 60_000;
const beganAt = Date.UTC(2024, 4, 1);
const leaseMs = 24 * 60 * minuteMs;

const targetCases: fc.Arbitrary<TargetCase> = fc.record({
  startsSoFar: fc.integer({ min: 20, max: 40 }),
  pace: fc.integer({ min: 0, max: 3 }),
  queues: fc.uniqueArray(
    fc.record({
      priority: fc.integer({ min: -1, max: 1 }),
      caller: fc.constantFrom('ana', 'Ben', 'cem'),
      lastServed: fc.integer({ min: 0, max: 20 }),
      lastTenth: fc.constantFrom(0, 10, 20),
      asideFor: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 })),
      readyIn: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 })), {
        maxLength: 6,
      }),
    }),
    { minLength: 1, maxLength: 5, selector: ({ priority, caller }) => `${priority} ${caller}` },
  ),
});

// Only their names decide. In the order of a language, `ana` comes first.
const newCallers: TargetCase = {
  startsSoFar: 20,
  pace: 0,
  queues: ['ana', 'Ben'].map((caller) => ({
    priority: 0,
    caller,
    lastServed: 0,
    lastTenth: 0,
    asideFor: 0,
    readyIn: [0],
  })),
};

async function insertQueues(
  database: Database,
  target: string,
  { startsSoFar, queues }: TargetCase,
) {
  const slot = { target, accountId: '1', region: 'r', turns: startsSoFar };
  await database.queries.insertInto('slots').values(slot).execute();
  for (const { priority, caller, lastServed, lastTenth, asideFor, readyIn } of queues) {
    const slices = readyIn.map((minutes) => ({ readyAt: beganAt + minutes * minuteMs }));
    await insertJob(database, { target, priority, caller, slices });
    await database.queries
      .updateTable('lines')
      .set({
        lastTurn: lastServed,
        lastTenth,
        asideUntil: asideFor && beganAt + asideFor * minuteMs,
      })
      .where('target', '=', target)
      .where('priority', '=', priority)
      .where('caller', '=', caller)
      .execute();
  }
}

/** All starts in order, as the forecasts of the queues say. */
async function forecastStarts(database: Database, target: string, pace: number) {
  const { queries } = database;
  const startsSoFar = await readStartCount(queries, target);
  const arrivals = await readArrivals(queries, target, beganAt);
  const queues = (await readCallerQueues(database, target, beganAt)).map((queue) => ({
    ...queue,
    arrivals: arrivals.filter(
      ({ priority, caller }) => priority === queue.priority && caller === queue.caller,
    ),
  }));
  return queues
    .flatMap(({ priority, caller, waiting }): Start[] => {
      const ranks = Array.from({ length: waiting }, (_, index) => index + 1);
      const own = { priority, caller, ranks };
      const paceMs = pace * minuteMs;
      const starts = forecast({ queues, startsSoFar, ...own, freeAt: beganAt, paceMs });
      return starts.map((start) => ({ ...start, priority, caller }));
    })
    .sort((one, other) => one.position - other.position);
}

/** Starts slices as the dispatcher does, each as soon as the slot is free and a slice is ready. */
async function startAll(
  database: Database,
  lease: Lease,
  clock: { now: number },
  { pace, queues }: TargetCase,
  slices = queues.reduce((sum, { readyIn }) => sum + readyIn.length, 0),
): Promise<Start[]> {
  const started: Start[] = [];
  while (started.length < slices) {
    const intent = await claimNextSlice(database, lease, making);
    if (!intent) {
      clock.now += minuteMs; // slices become ready at full minutes
      continue;
    }
    const { jobId, slice, priority, caller } = intent;
    started.push({ position: started.length + 1, at: clock.now, priority, caller });
    await database.queries
      .updateTable('slices')
      .set({ state: 'completed' })
      .where('jobId', '=', jobId)
      .where('number', '=', slice)
      .execute();
    clock.now += pace * minuteMs;
  }
  return started;
}

describe.each(storageBackends)('the order of the queue on %s', (_name, openStorage) => {
  test('is the forecast order, and each slice starts at its forecast time', async () => {
    const clock = { now: beganAt };
    await using database = await openStore(openStorage, () => clock.now);

    // On a failure fast-check prints the seed and the smallest queues that fail.
    await fc.assert(
      fc.asyncProperty(targetCases, async (targetCase) => {
        clock.now = beganAt;
        const target = randomUUID();
        await insertQueues(database, target, targetCase);
        const request = { target, accountId: '1', region: 'r', owner: 'test', leaseMs };
        const { lease } = await takeLease(database, request);
        if (!lease) throw new Error('The slot is taken.');
        const expected = await forecastStarts(database, target, targetCase.pace);

        const started = await startAll(database, lease, clock, targetCase);

        expect(started).toEqual(expected);
      }),
      { numRuns: 12, examples: [[newCallers]] },
    );
  });

  test('gives a caller with many priorities no more tenth starts than one with a single priority', async () => {
    const clock = { now: beganAt };
    await using database = await openStore(openStorage, () => clock.now);
    const none = { lastServed: 0, lastTenth: 0, asideFor: 0 };
    const targetCase: TargetCase = {
      startsSoFar: 0,
      pace: 1,
      queues: Array.from({ length: 21 }, (_, index) => ({
        priority: 10 - index,
        caller: 'ana',
        ...none,
        readyIn: Array.from({ length: index === 0 ? 90 : 2 }, () => 0),
      })).concat({ priority: -10, caller: 'ben', ...none, readyIn: Array(8).fill(0) }),
    };
    const target = randomUUID();
    await insertQueues(database, target, targetCase);
    const request = { target, accountId: '1', region: 'r', owner: 'test', leaseMs };
    const { lease } = await takeLease(database, request);
    if (!lease) throw new Error('The slot is taken.');
    const expected = await forecastStarts(database, target, targetCase.pace);

    const started = await startAll(database, lease, clock, targetCase, 80);

    const tenths = started.filter(({ position }) => position % 10 === 0);
    expect(tenths.map(({ caller }) => caller)).toEqual(
      Array.from({ length: 4 }, () => ['ana', 'ben']).flat(),
    );
    expect(started).toEqual(expected.slice(0, 80));
  });
});

describe('two queues', () => {
  const queue = { priority: 0, caller: 'ben', lastServed: 5, lastTenth: 10, asideUntil: 0 };

  test.each([
    ['that has not stepped aside', { ...queue, asideUntil: 101, priority: 9, lastServed: 0 }, 7],
    ['of the higher priority', { ...queue, priority: -1, lastServed: 0 }, 7],
    ['that was served longer ago', { ...queue, lastServed: 6, caller: 'ana' }, 7],
    [
      'whose caller had an older tenth start at every tenth start',
      { ...queue, lastServed: 0, lastTenth: 20, priority: 9 },
      30,
    ],
    [
      'that was served longer ago at every tenth start',
      { ...queue, lastServed: 11, lastTenth: 0, priority: 9 },
      30,
    ],
    [
      'that was served longer ago, of two queues of a caller, at every tenth start',
      { ...queue, lastServed: 6, priority: 9 },
      30,
    ],
    [
      'that was served longer ago at every tenth start of one priority',
      { ...queue, lastTenth: 0, lastServed: 6, caller: 'ana' },
      30,
    ],
    ['of the higher priority among equals at every tenth start', { ...queue, priority: -1 }, 30],
    ['whose caller comes first by name among equals', { ...queue, caller: 'cem' }, 7],
  ])('are ordered: first the one %s', (_which, other, start) => {
    const compare = compareQueues([queue, other], { at: 100, start });

    expect([other, queue].sort(compare)).toEqual([queue, other]);
    expect([queue, other].sort(compare)).toEqual([queue, other]);
  });
});

const making = {
  leaseMs,
  makeMarker: () => randomUUID(),
  renderPrefix: (template: string) => template,
  reachInside: async () => {},
};

test.each(storageBackends)(
  'lets other requests run while it counts many queues, on %s',
  async (_name, openStorage) => {
    await using database = await openStore(openStorage);
    const target = randomUUID();
    const callers = Array.from({ length: 50 }, (_, number) => `caller-${number + 10}`);
    for (const caller of callers)
      await insertJob(database, { target, caller, slices: [{ readyAt: beganAt }] });
    using turns = countTurns();

    const queues = await readCallerQueues(database, target, beganAt);

    expect(queues.map(({ caller }) => caller)).toEqual(callers);
    expect(queues.every(({ waiting, ready }) => waiting === 1 && ready === 1)).toBe(true);
    expect(turns.count).toBeGreaterThanOrEqual(2);
  },
);
