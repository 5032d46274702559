import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { makeReadSliceGrid } from '#export-jobs/operations/read-slice-grid.ts';
import { type SliceCounts, sliceStates } from '#export-jobs/slice.ts';
import { readHeads } from '#export-jobs/store/reads/read-heads.ts';
import { bringTo } from '../accepted-jobs.ts';
import { jobOf } from '../jobs-of-callers.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

const firstDay = Date.UTC(2024, 0, 1);
const dayMs = 86_400_000;

describe.each(storageBackends)('the grid of a job on %s', (_name, openStorage) => {
  let database: Database;
  beforeAll(async () => {
    database = await openStore(openStorage);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const gridOf = async (jobId: string, slices: number, query = {}) => {
    const head = (await readHeads(database, [jobId])).get(jobId);
    if (!head) throw new Error('no job');
    const none = Object.fromEntries(sliceStates.map((state) => [state, 0])) as SliceCounts;
    return makeReadSliceGrid(database, () => 0)(head, { ...none, waiting: slices }, query);
  };

  test('has a row for each log group and a column for each window', async () => {
    const jobId = await jobOf('ann', database, { logGroupNames: ['/a', '/b'], days: 3 });
    await bringTo(database, jobId, 1, 'completed'); // /b on the first day
    await bringTo(database, jobId, 4, 'failed'); // /a on the third day

    const { rows, columns, logGroups, windows } = await gridOf(jobId, 6);

    expect([logGroups, windows]).toEqual([2, 3]);
    expect(columns.map(({ fromAt, toAt }) => [fromAt, toAt])).toEqual(
      [0, 1, 2].map((day) => [firstDay + day * dayMs, firstDay + (day + 1) * dayMs]),
    );
    expect(rows.map(({ logGroupName }) => logGroupName)).toEqual(['/a', '/b']);
    expect(rows[0]?.cells.map(({ failed }) => failed)).toEqual([0, 0, 1]);
    expect(rows[1]?.cells.map(({ completed }) => completed)).toEqual([1, 0, 0]);
    expect(rows[1]?.cells.map(({ waiting }) => waiting)).toEqual([0, 1, 1]);
  });

  test('of one window has only slices of that window', async () => {
    const jobId = await jobOf('ann', database, { logGroupNames: ['/a', '/b', '/c'] });

    const { rows, columns } = await gridOf(jobId, 3);

    expect([rows.length, columns.length]).toEqual([3, 1]);
    expect(rows.map(({ cells }) => cells[0]?.waiting)).toEqual([1, 1, 1]);
  });

  test('of 10,000 slices has ranges, and counts each slice once', async () => {
    const logGroupNames = Array.from({ length: 25 }, (_, index) => `/group/${index}`);
    const jobId = await jobOf('ann', database, { logGroupNames, days: 400 });

    const first = await gridOf(jobId, 10_000);
    const last = await gridOf(jobId, 10_000, { fromGroup: 20 });
    const part = await gridOf(jobId, 10_000, { fromWindow: 390, toWindow: 10_000 });
    const beyond = await gridOf(jobId, 10_000, { fromGroup: 9_999, fromWindow: 9_999 });

    const count = ({ rows }: typeof first) =>
      rows.flatMap(({ cells }) => cells).reduce((sum, { waiting }) => sum + waiting, 0);
    expect(first.columns.length).toBeLessThanOrEqual(31);
    expect([first.rows.length, last.rows.length]).toEqual([20, 5]);
    expect(last.previousGroup).toBe(0);
    expect(count(first) + count(last)).toBe(10_000);
    expect(first.columns.at(-1)).toMatchObject({ toWindow: 400, toAt: firstDay + 400 * dayMs });
    expect([part.columns.length, count(part)]).toEqual([10, 200]);
    expect([beyond.rows.length, beyond.columns.length, count(beyond)]).toEqual([1, 1, 1]);
  });
});
