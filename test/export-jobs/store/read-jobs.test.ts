import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { jobStateOf, jobStates } from '#export-jobs/job-state.ts';
import { activeStates, sliceStates } from '#export-jobs/slice.ts';
import { readHeadPage } from '#export-jobs/store/reads/read-heads.ts';
import { readJobs } from '#export-jobs/store/reads/read-jobs.ts';
import { readSlices } from '#export-jobs/store/reads/read-slices.ts';
import { bringTo, givenJob, sliceProblem } from '../accepted-jobs.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

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
    let jobs = 0;

    await fc.assert(
      fc.asyncProperty(states, fc.boolean(), async (slices, isCancelled) => {
        jobs += 1;
        const caller = `caller-${jobs}`;
        const facts = { target: caller };
        const id = await givenJob(database, slices.length, { caller, facts });
        const { queries } = database;
        for (const [number, state] of slices.entries()) {
          const query = queries.updateTable('slices').set({ state }).where('jobId', '=', id);
          await query.where('number', '=', number).execute();
        }
        const cancelRequestedAt = isCancelled ? 1 : null;
        await queries.updateTable('jobs').set({ cancelRequestedAt }).where('id', '=', id).execute();

        const matching = [];
        for (const state of jobStates) {
          const found = await readHeadPage(database, { caller, state, limit: 10 });
          if (found.length > 0) matching.push(state);
        }

        const reading = (await readJobs(database, [id])).get(id);
        const counts = Object.fromEntries(
          sliceStates.map((state) => [state, slices.filter((each) => each === state).length]),
        );
        expect(reading?.counts).toEqual(counts);
        expect(matching).toEqual([jobStateOf(counts as never, isCancelled)]);
      }),
      { seed, numRuns: 150 },
    );
  });

  test('continues a page where the one before ended, also within one millisecond', async () => {
    const caller = 'pages';
    const ids: string[] = [];
    for (const acceptedAt of [1, 2, 2, 2, 3])
      ids.push(await givenJob(database, 1, { caller, acceptedAt }));

    const found: Awaited<ReturnType<typeof readHeadPage>> = [];
    for (let after: (typeof found)[number] | undefined; ; after = found.at(-1)) {
      const page = await readHeadPage(database, { caller, after, limit: 2 });
      if (page.length === 0) break;
      found.push(...page);
    }

    expect(found.map(({ acceptedAt }) => acceptedAt)).toEqual([3, 2, 2, 2, 1]);
    expect(found.map(({ id }) => id).sort()).toEqual(ids.sort());
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
});
