import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { jobStateOf, jobStates } from '#export-jobs/job-state.ts';
import { activeStates, sliceStates } from '#export-jobs/slice.ts';
import { readHeadPart } from '#export-jobs/store/reads/read-heads.ts';
import { readJobs } from '#export-jobs/store/reads/read-jobs.ts';
import { readSlices } from '#export-jobs/store/reads/read-slices.ts';
import { readTaskHeads } from '#export-jobs/store/tasks/read-tasks.ts';
import type { AgeCursor, ListPart } from '#paging/page.ts';
import { countTurns } from '../../turns.ts';
import { bringTo, givenJob, sliceProblem } from '../accepted-jobs.ts';
import { insertManyJobs } from '../insert-many-jobs.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

/** Reads all parts of a list. */
async function readAll<Entry>(readPart: (after?: AgeCursor) => Promise<ListPart<Entry>>) {
  const parts: ListPart<Entry>[] = [];
  for (let after: AgeCursor | undefined; ; ) {
    const part = await readPart(after);
    parts.push(part);
    if (part.next === undefined) return parts;
    after = part.next;
  }
}

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

describe.each(storageBackends)('reading jobs on %s', (_name, openStorage) => {
  let database: Database;
  beforeAll(async () => {
    database = await openStore(openStorage);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  test(`filters by the same state in SQL as slice.ts derives (seed ${seed})`, async () => {
    const isActive = (state: string) => activeStates.some((active) => active === state);
    // One slot has one slice, so a job has at most one active slice.
    const states = fc
      .array(fc.constantFrom(...sliceStates), { minLength: 1, maxLength: 5 })
      .filter((all) => all.filter(isActive).length <= 1);
    const caller = 'derived';
    const { queries } = database;
    const wanted = new Map<string, { slices: string[]; isCancelled: boolean }>();
    for (const [slices, isCancelled] of fc.sample(fc.tuple(states, fc.boolean()), {
      seed,
      numRuns: 150,
    })) {
      const id = await givenJob(database, slices.length, {
        caller,
        facts: { target: `target-${wanted.size}` },
      });
      wanted.set(id, { slices, isCancelled });
      for (const state of new Set(slices)) {
        const numbers = slices.flatMap((each, number) => (each === state ? [number] : []));
        const query = queries.updateTable('slices').set({ state }).where('jobId', '=', id);
        await query.where('number', 'in', numbers).execute();
      }
      if (isCancelled) {
        const query = queries.updateTable('jobs').set({ cancelRequestedAt: 1 });
        await query.where('id', '=', id).execute();
      }
    }

    const readings = await readJobs(database, [...wanted.keys()]);
    const found: [id: string, state: string][] = [];
    for (const state of jobStates) {
      const parts = await readAll((after) =>
        readHeadPart(database, { caller, state, after, limit: 200 }),
      );
      for (const { id } of parts.flatMap(({ entries }) => entries)) found.push([id, state]);
    }

    const derived = [...wanted].map(([id, { slices, isCancelled }]) => {
      const counts = Object.fromEntries(
        sliceStates.map((state) => [state, slices.filter((each) => each === state).length]),
      );
      expect({ slices, counts: readings.get(id)?.counts }).toEqual({ slices, counts });
      return [id, jobStateOf(counts as never, isCancelled)];
    });
    expect(found.toSorted()).toEqual(derived.toSorted());
  });

  test('continues a page where the one before ended, also within one millisecond', async () => {
    const caller = 'pages';
    const ids: string[] = [];
    for (const acceptedAt of [1, 2, 2, 2, 3])
      ids.push(await givenJob(database, 1, { caller, acceptedAt }));

    const parts = await readAll((after) => readHeadPart(database, { caller, after, limit: 2 }));

    const found = parts.flatMap(({ entries }) => entries);
    expect(found.map(({ acceptedAt }) => acceptedAt)).toEqual([3, 2, 2, 2, 1]);
    expect(found.map(({ id }) => id).sort()).toEqual(ids.sort());
  });

  test.each(['completed', 'failed'] as const)(
    'examines at most 2,000 jobs for a part of those that are %s',
    async (other) => {
      const caller = `part-${other}`;
      const jobs = { caller, jobs: 4_100, state: 'cancelled', every: 4_099, other } as const;
      const ids = await insertManyJobs(database, jobs);

      const parts = await readAll((after) =>
        readHeadPart(database, { caller, state: other, after, limit: 10 }),
      );

      expect(parts.map(({ entries }) => entries.map(({ id }) => id))).toEqual([
        [ids[0]],
        [],
        [ids[1]],
      ]);
      expect(parts.map(({ next }) => next?.at)).toEqual([2_101, 101, undefined]);
    },
  );

  test('examines at most 2,000 tasks for a part of those with a status', async () => {
    const jobs = { caller: 'tasks', jobs: 4_100, state: 'completed', isTask: true } as const;
    const ids = await insertManyJobs(database, { ...jobs, every: 4_099, other: 'failed' });

    const filter = { caller: 'tasks', target: 'default', status: 'FAILED', limit: 10 } as const;
    const parts = await readAll((after) => readTaskHeads(database, { ...filter, after }));

    expect(parts.map(({ entries }) => entries.map(({ id }) => id))).toEqual([
      [ids[0]],
      [],
      [ids[1]],
    ]);
    expect(parts.map(({ next }) => next?.at)).toEqual([2_101, 101, undefined]);
  });

  test('continues after a part whose last job is deleted meanwhile', async () => {
    const caller = 'deleted';
    const ids: string[] = [];
    for (const acceptedAt of [3, 2, 1])
      ids.push(await givenJob(database, 1, { caller, acceptedAt }));

    const { next } = await readHeadPart(database, { caller, limit: 2 });
    await database.queries
      .deleteFrom('jobs')
      .where('id', '=', ids[1] as string)
      .execute();
    const { entries } = await readHeadPart(database, { caller, after: next, limit: 2 });

    expect(entries.map(({ id }) => id)).toEqual([ids[2]]);
  });

  test('finds no slice for a cursor beyond all numbers', async () => {
    const jobId = await givenJob(database, 1);

    const after = Number.MAX_SAFE_INTEGER;
    expect(await readSlices(database, { jobId, after, limit: 10 })).toEqual([]);
  });

  test('counts failures by kind, the most frequent first', async () => {
    const jobId = await givenJob(database, 5);
    const kinds = ['export-task-failed', 'export-slot-taken', 'export-task-failed'];
    for (const [slice, kind] of kinds.entries()) {
      const problem = sliceProblem(kind, `Slice ${slice} failed.`); // no two are equal
      await bringTo(database, jobId, slice, 'failed', problem);
    }
    await bringTo(database, jobId, 3, 'waiting', sliceProblem('aws-throttled'));

    const reading = (await readJobs(database, [jobId])).get(jobId);

    expect(reading?.counts).toMatchObject({ failed: 3, waiting: 2 });
    expect(reading?.failures.map(({ slices }) => slices)).toEqual([2, 1]);
    expect(reading?.failures.map(({ problem }) => JSON.parse(problem).type)).toEqual([
      '/problems/export-task-failed',
      '/problems/export-slot-taken',
    ]);
  });

  test('lets other requests run while it counts the slices of many jobs', async () => {
    const ids = [];
    for (let job = 0; job < 20; job += 1) ids.push(await givenJob(database, 1, { facts: {} }));
    using turns = countTurns();

    const found = await readJobs(database, ids);

    expect(found.size).toBe(20);
    expect(turns.count).toBeGreaterThanOrEqual(4);
  });
});
