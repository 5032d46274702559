import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { makeReadSliceGrid } from '#export-jobs/operations/read-slice-grid.ts';
import { showSlice } from '#export-jobs/presenters/show-slice.ts';
import { insertChildren } from '#export-jobs/splits/plan-split.ts';
import { readHeads, readLogGroups } from '#export-jobs/store/reads/read-heads.ts';
import { readJobs } from '#export-jobs/store/reads/read-jobs.ts';
import { readSlices } from '#export-jobs/store/reads/read-slices.ts';
import { cancelJob } from '#export-jobs/store/requests/cancel-job.ts';
import { retryJob } from '#export-jobs/store/requests/retry-job.ts';
import { recordStep } from '#export-jobs/store/steps/record-step.ts';
import { bringTo, sliceProblem } from '../accepted-jobs.ts';
import { approvalOf } from '../caller-requests.ts';
import { jobOf } from '../jobs-of-callers.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

const firstDay = Date.UTC(2024, 0, 1);
const hourMs = 3_600_000;

describe.each(storageBackends)('a job with split slices, on %s', (_name, openStorage) => {
  let database: Database;
  beforeAll(async () => {
    database = await openStore(openStorage);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  /** Splits a slice at these hours of its day. */
  async function split(jobId: string, slice: number, first: number, hours: readonly number[]) {
    const bounds = [0, ...hours, 24].map((hour) => firstDay + hour * hourMs);
    const windows = bounds
      .slice(1)
      .map((toAt, index) => ({ fromAt: bounds[index] as number, toAt }));
    await database.transaction((queries) =>
      insertChildren(queries, database, { jobId, slice }, { first, windows }),
    );
    await bringTo(database, jobId, slice, 'split', sliceProblem('export-task-failed'));
  }

  const snapshotOf = async (jobId: string) => {
    const snapshot = (await readJobs(database, [jobId])).get(jobId);
    if (!snapshot) throw new Error('no job');
    return snapshot;
  };
  const headOf = async (jobId: string) => {
    const head = (await readHeads(database, [jobId])).get(jobId);
    if (!head) throw new Error('no job');
    return head;
  };
  const gridOf = async (jobId: string) =>
    makeReadSliceGrid(database, () => 0)(await headOf(jobId), (await snapshotOf(jobId)).counts, {});

  test('has the log groups that it was accepted with', async () => {
    const jobId = await jobOf('ann', database);
    await split(jobId, 0, 1, [12]);
    const head = await headOf(jobId);

    const { logGroupNames } = await readLogGroups(database, head, 0);

    expect(head.hasMoreLogGroups).toBe(false);
    expect(logGroupNames).toEqual(['/app']);
  });

  test('shows the children in the cell of the slice that was split', async () => {
    const jobId = await jobOf('ann', database, { logGroupNames: ['/a', '/b'], days: 2 });
    await split(jobId, 1, 4, [6, 12]);
    await split(jobId, 5, 7, [3]);
    await bringTo(database, jobId, 4, 'completed');
    await bringTo(database, jobId, 7, 'failed');

    const grid = await gridOf(jobId);

    expect([grid.logGroups, grid.windows]).toEqual([2, 2]);
    const [a, b] = grid.rows.map(({ cells }) => cells);
    expect(a?.map(({ waiting }) => waiting)).toEqual([1, 1]);
    expect(b?.[0]).toMatchObject({ completed: 1, failed: 1, waiting: 2, split: 0 });
    expect(b?.[1]).toMatchObject({ waiting: 1, split: 0 });
  });

  test('shows children that were split after the job was read', async () => {
    const jobId = await jobOf('ann', database);
    await split(jobId, 0, 1, [12]);
    const [head, { counts }] = [await headOf(jobId), await snapshotOf(jobId)];
    await split(jobId, 1, 3, [3, 6, 9]);

    const grid = await makeReadSliceGrid(database, () => 0)(head, counts, {});

    expect([grid.logGroups, grid.windows]).toEqual([1, 1]);
    expect(grid.rows.map(({ cells }) => cells[0]?.waiting)).toEqual([5]);
  });

  test('of one window and several log groups has the columns that it was accepted with', async () => {
    const jobId = await jobOf('ann', database, { logGroupNames: ['/a', '/b', '/c'] });
    await split(jobId, 0, 3, [12]);

    const { rows, columns } = await gridOf(jobId);

    expect([rows.length, columns.length]).toEqual([3, 1]);
    expect(rows.map(({ cells }) => cells[0]?.waiting)).toEqual([2, 1, 1]);
  });

  test('shows of which slice another one is a part', async () => {
    const jobId = await jobOf('ann', database);
    await split(jobId, 0, 1, [12]);

    const slices = await readSlices(database, { jobId, limit: 10 });
    const shown = slices.map((slice) => showSlice(slice, { attempts: [] }, ''));

    expect(shown.map(({ state, parent }) => [state, parent])).toEqual([
      ['split', undefined],
      ['waiting', 0],
      ['waiting', 0],
    ]);
  });

  test('is completed when all children are, and counts the split slice apart', async () => {
    const jobId = await jobOf('ann', database);
    await split(jobId, 0, 1, [12]);
    await bringTo(database, jobId, 1, 'completed');
    const meanwhile = await snapshotOf(jobId);
    await bringTo(database, jobId, 2, 'completed');

    const { job, counts } = await snapshotOf(jobId);

    expect(meanwhile.job.endedAt).toBeNull();
    expect(job.endedAt).not.toBeNull();
    expect(counts).toMatchObject({ completed: 2, split: 1, failed: 0 });
  });

  test('exports only the failed children again after a retry', async () => {
    const jobId = await jobOf('ann', database);
    await split(jobId, 0, 1, [8, 16]);
    await bringTo(database, jobId, 1, 'completed');
    await bringTo(database, jobId, 2, 'failed', sliceProblem('export-task-failed'));
    await bringTo(database, jobId, 3, 'completed');

    const { slices } = await retryJob(database, jobId, approvalOf('ann'), 0);

    expect(slices).toBe(1);
    expect((await snapshotOf(jobId)).counts).toMatchObject({ split: 1, completed: 2, waiting: 1 });
  });

  test('does not split a slice if the cancel of the job was requested meanwhile', async () => {
    const jobId = await jobOf('ann', database);
    await bringTo(database, jobId, 0, 'running');
    await cancelJob(database, jobId, approvalOf('ann'));
    const running = { jobId, slice: 0, attempt: 0, caller: 'ann', state: 'running' } as const;
    const names = { marker: 'marker', logGroupName: '/app', destinationPrefix: 'jobs' };
    const facts = { slice: 0, attempt: 0, problem: 'export-task-failed' } as const;
    const windows = [{ fromAt: firstDay, toAt: firstDay + 24 * hourMs }];

    await recordStep(
      database,
      { target: 'default', hold: async () => {} },
      { ...running, ...names },
      {
        to: 'split',
        attempt: {},
        change: { type: 'slice-split', ...facts, children: [1] },
        by: { action: 'DescribeExportTasks' },
        split: { first: 1, windows },
      },
    );

    const slices = await readSlices(database, { jobId, limit: 10 });
    expect(slices.map(({ state }) => state)).toEqual(['cancelled']);
  });

  test('is cancelled with its waiting children', async () => {
    const jobId = await jobOf('ann', database);
    await split(jobId, 0, 1, [12]);

    const { slices } = await cancelJob(database, jobId, approvalOf('ann'));

    expect(slices).toBe(2);
    expect((await snapshotOf(jobId)).counts).toMatchObject({ split: 1, cancelled: 2 });
  });
});
