import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { sliceBys } from '#export-jobs/planning/calendar/slice-units.ts';
import { planSlices } from '#export-jobs/planning/plan-slices.ts';
import { acceptJob } from '#export-jobs/store/requests/accept-job.ts';
import { planOf } from '../accepted-jobs.ts';
import { requestOf } from '../caller-requests.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const hourMs = 3_600_000;
// Clock changes by an hour, by half an hour, over midnight, and by a day.
const changes = [
  ['Europe/Berlin', '2024-10-27T01:00:00Z'],
  ['Europe/Berlin', '2024-03-31T01:00:00Z'],
  ['Australia/Lord_Howe', '2024-04-06T15:00:00Z'],
  ['America/St_Johns', '2006-10-29T02:31:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['UTC', '2024-02-29T00:00:00Z'],
] as const;

describe.each(storageBackends)(
  'the stored slices of a job in a time zone, on %s',
  (_name, openStorage) => {
    let database: Database;
    beforeAll(async () => {
      database = await openStore(openStorage);
    });
    afterAll(() => database[Symbol.asyncDispose]());

    test(`make up the window for each log group, as planned (seed ${seed})`, async () => {
      const anyJob = fc.record({
        change: fc.constantFrom(...changes),
        sliceBy: fc.constantFrom(...sliceBys),
        before: fc.integer({ min: 1, max: 60 * hourMs }),
        after: fc.integer({ min: 1, max: 60 * hourMs }),
      });
      await fc.assert(
        fc.asyncProperty(anyJob, async ({ change: [timeZone, at], sliceBy, before, after }) => {
          const window = { fromAt: Date.parse(at) - before, toAt: Date.parse(at) + after };
          const logGroupNames = ['/b', '/a'];
          const cut = { logGroupNames, window, sliceBy, timeZone, now: Date.parse('2030-01-01') };
          const slices = await planSlices({ ...cut, isUnsettledAllowed: false });
          const { job, policies } = planOf(0, { ...window, sliceBy, timeZone });

          const jobId = await acceptJob(database, {
            jobId: randomUUID(),
            request: requestOf('anonymous'),
            acceptedAt: 1,
            keyUse: undefined,
            maxWaitingSlices: 0,
            plan: { job, logGroupNames, slices, policies },
          });

          const { queries } = database;
          const kept = await queries
            .selectFrom('jobs')
            .selectAll()
            .where('id', '=', jobId)
            .execute();
          const rows = await queries
            .selectFrom('slices')
            .select(['number', 'logGroupName', 'fromAt', 'toAt', 'notBeforeAt', 'readyAt'])
            .where('jobId', '=', jobId)
            .orderBy('number')
            .execute();
          expect(kept).toMatchObject([{ timeZone, sliceBy, ...window }]);
          expect(rows).toEqual([...slices]);
          for (const name of logGroupNames) {
            const own = rows.filter(({ logGroupName }) => logGroupName === name);
            const joints = [window.fromAt, ...own.map(({ toAt }) => toAt)];
            expect(own.map(({ fromAt }) => fromAt)).toEqual(joints.slice(0, -1));
            expect(joints.at(-1)).toBe(window.toAt);
          }
        }),
        { seed, numRuns: 25 },
      );
    });
  },
);
