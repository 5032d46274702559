import type { Updateable } from 'kysely';
import { describe, expect, test } from 'vitest';

import type { ArchiveDefinition } from '#archives/archive.ts';
import { readCoveredParts } from '#coverage/reads/read-coverage.ts';
import type { JobRow, SliceRow } from '#database/tables.ts';
import { awsLimits } from '#problems/limits.ts';
import { hideBuckets } from '../export-jobs/dispatcher/hide-buckets.ts';
import { firstWindowAt, type HourlyJob, startAt } from '../export-jobs/insert-hourly-job.ts';
import type { Queue } from '../export-jobs/open-queue.ts';
import { purgeOnce } from '../export-jobs/retention/ended-jobs.ts';
import {
  openSeededQueue,
  readManifests,
  verificationsOf,
} from '../export-jobs/verification/seeded-exports.ts';
import { region } from '../world.ts';
import { insertArchive, readLedger } from './insert-archive.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Later than everything that happens here. */
const never = startAt + 1_000 * dayMs;
const firstHour = { fromAt: firstWindowAt, toAt: firstWindowAt + hourMs };
const covered = { state: 'covered', isEmpty: 0, again: null, cause: null };

/** What `GET /coverage` says about all time. */
const coveredParts = ({ database: { queries } }: Queue) =>
  readCoveredParts(
    queries,
    { accountId: '123456789012', region, logGroupName: '/app' },
    { fromAt: 0, toAt: never },
    100,
  );

const readCoverage = ({ database }: Queue) =>
  database.queries.selectFrom('coverage').selectAll().orderBy('jobId').orderBy('slice').execute();

/** Changes the rows of a job before it begins. */
async function change(
  { database }: Queue,
  jobId: string,
  values: { job?: Updateable<JobRow>; slices?: Updateable<SliceRow> },
): Promise<void> {
  if (values.job)
    await database.queries.updateTable('jobs').set(values.job).where('id', '=', jobId).execute();
  if (values.slices)
    await database.queries
      .updateTable('slices')
      .set(values.slices)
      .where('jobId', '=', jobId)
      .execute();
}

interface PartitionOptions {
  definition?: Partial<ArchiveDefinition>;
  id?: string;
  retentionDays?: number | null;
}

/** Puts a job that exports the first hours of an archive, with its work, into a queue that does not run yet. */
async function putPartition(
  queue: Queue,
  {
    definition = {},
    id = 'archive',
    retentionDays = null,
    ...job
  }: HourlyJob & PartitionOptions = {},
): Promise<string> {
  const logGroups = [{ logGroupName: '/app', retentionDays }];
  await insertArchive(queue.database, { id, lookDueAt: never, definition, logGroups });
  const jobId = await queue.put(job);
  const archive = { archiveId: id, incarnation: 1, revision: 1 };
  await change(queue, jobId, { job: archive });
  await queue.database.queries
    .insertInto('archivePartitions')
    .values({ ...archive, ...firstHour, logGroupName: '/app', state: 'queued', jobId })
    .execute();
  return jobId;
}

async function readArchive({ database: { queries } }: Queue) {
  const { lookDueAt } = await queries
    .selectFrom('archives')
    .select('lookDueAt')
    .executeTakeFirstOrThrow();
  const work = await queries.selectFrom('archivePartitions').select('jobId').execute();
  const ranges = (await readLedger({ queries })).map(
    ({ archiveId: _id, logGroupName: _name, ...range }) => range,
  );
  return { isLookDue: lookDueAt < never, work: work.map(({ jobId }) => jobId), ranges };
}

describe.each(['sqlite', 'postgres'] as const)('the coverage, on %s', (backend) => {
  test('has a row for each verified export of all log events of a time, of any job', async () => {
    await using queue = await openSeededQueue({ backend, replicas: 0 });
    const counted = await queue.put({ slices: 2, verification: 'count' });
    const listed = await queue.put();
    const unverified = await queue.put({ verification: 'off' });
    const partial = await queue.put();
    await change(queue, partial, { job: { logStreamNamePrefix: 'web-1' } });
    const early = await queue.put();
    // Its log events are exportable a day after it is exported.
    const toAt = startAt + dayMs - awsLimits.settlingMs;
    await change(queue, early, { slices: { fromAt: toAt - hourMs, toAt } });

    await queue.openReplica();
    await queue.runUntilDone();

    expect(new Set(await queue.states())).toEqual(new Set(['completed']));
    const rows = await readCoverage(queue);
    const slices = rows.map(({ jobId, slice }) => `${jobId} ${slice}`);
    expect(slices.sort()).toEqual([`${counted} 0`, `${counted} 1`, `${listed} 0`].sort());
    expect(slices.join()).not.toContain(unverified);
    const [first, second] = rows.filter(({ jobId }) => jobId === counted);
    const manifests = await readManifests(queue);
    const verification = (await verificationsOf(queue)).find(
      ({ jobId, slice }) => jobId === counted && slice === 0,
    );
    const attempt = await queue.database.queries
      .selectFrom('attempts')
      .select(['destinationPrefix', 'submittedAt', 'taskId'])
      .where('jobId', '=', counted)
      .where('slice', '=', 0)
      .executeTakeFirstOrThrow();
    expect(first).toEqual({
      jobId: counted,
      slice: 0,
      attempt: 1,
      target: 'default',
      accountId: '123456789012',
      region,
      logGroupName: '/app',
      ...firstHour,
      destination: 'archive',
      destinationPrefix: `jobs/${counted}/1`,
      taskId: attempt.taskId,
      method: 'count',
      isEmpty: 0,
      objects: 3,
      bytes: verification?.bytes,
      events: 6,
      manifestKey: verification?.manifestKey,
      manifestSha256: verification?.manifestSha256,
      exportedAt: attempt.submittedAt,
      coveredAt: verification?.endedAt,
      archiveId: null,
      incarnation: null,
      revision: 1,
      isVoid: 0,
    });
    expect(manifests.map(({ sha256 }) => sha256)).toContain(first?.manifestSha256);
    expect(second).toMatchObject({ slice: 1, isEmpty: 1, objects: 0, events: 0 });
  });

  test('has no row for an export that could not be verified for lack of permission', async () => {
    await using queue = await openSeededQueue({ backend });
    const denied = { kind: 'error', status: 403, code: 'AccessDenied', count: 1_000 } as const;
    queue.emulator.faults.add({ operation: 'ListObjectsV2', ...denied });
    await queue.put();

    await queue.runUntilDone();

    expect(await verificationsOf(queue)).toMatchObject([{ method: 'skipped' }]);
    expect(await readCoverage(queue)).toEqual([]);
  });

  test.each([
    ['the search for log events is not exhaustive', { emptyEventPages: 150 }],
    ['the role may not look', { deniedActions: { '*': ['logs:FilterLogEvents'] } }],
  ])('has no row for an export without objects if %s', async (_name, emulator) => {
    await using queue = await openSeededQueue({ backend, replicas: 0, emulator });
    const fault = { kind: 'objects-missing', missing: 'all' } as const;
    queue.emulator.faults.add({ operation: 'CreateExportTask', ...fault });
    const jobId = await putPartition(queue);

    await queue.openReplica();
    await queue.runUntilDone();

    expect(await queue.states()).toEqual(['completed']);
    expect(await readCoverage(queue)).toEqual([]);
    expect(await readArchive(queue)).toEqual({ isLookDue: true, work: [jobId], ranges: [] });
  });

  test('stays when its job is deleted', async () => {
    await using queue = await openSeededQueue({ backend });
    await queue.put({ slices: 2 });
    await queue.runUntilDone();
    const before = await readCoverage(queue);
    const keep = { finishedJobsMs: 1_000, auditMs: 1_000 };

    await queue.time.runFor(1_000);
    const { dueInMs = 0 } = await purgeOnce(queue.database, { keep });
    await queue.time.runFor(dueInMs);
    await purgeOnce(queue.database, { keep });

    expect(await queue.states()).toEqual([]);
    expect(await readCoverage(queue)).toEqual(before);
    expect(before).toHaveLength(2);
  });

  test('of an export whose process died in the transaction is recorded once, by the next process', async () => {
    await using queue = await openSeededQueue({ backend, replicas: 0 });
    await putPartition(queue);
    const first = await queue.openReplica({ diesAt: 'in-verdict' });
    await queue.time.runUntil(first.isDown);
    const before = [await readCoverage(queue), (await readArchive(queue)).ranges];

    await queue.openReplica();
    await queue.runUntilDone();

    expect(before).toEqual([[], []]);
    expect(await readCoverage(queue)).toHaveLength(1);
    expect((await readArchive(queue)).ranges).toEqual([
      { incarnation: 1, ...firstHour, ...covered },
    ]);
  });
});

describe.each(['sqlite', 'postgres'] as const)('a job of an archive, on %s', (backend) => {
  test('covers its partition when it is completed', async () => {
    await using queue = await openSeededQueue({ backend, replicas: 0 });
    const jobId = await putPartition(queue);

    await queue.openReplica();
    await queue.runUntilDone();

    expect(await readCoverage(queue)).toMatchObject([
      { jobId, archiveId: 'archive', incarnation: 1, isVoid: 0 },
    ]);
    expect(await readArchive(queue)).toEqual({
      isLookDue: true,
      work: [],
      ranges: [{ incarnation: 1, ...firstHour, ...covered }],
    });
    const counts = await queue.database.queries
      .selectFrom('archiveLogGroups')
      .select(['covered', 'empty'])
      .execute();
    expect(counts).toEqual([{ covered: 1, empty: 0 }]);
  });

  test('covers its partition when the last of its slices is completed, and as empty if all are', async () => {
    await using queue = await openSeededQueue({ backend, replicas: 0, streams: 0 });
    queue.emulator.seed.logGroup({ region, logGroupName: '/app' });
    const jobId = await putPartition(queue, { slices: 3 });
    await queue.database.queries
      .updateTable('slices')
      .set({ state: 'split' })
      .where('jobId', '=', jobId)
      .where('number', '=', 0)
      .execute();
    const ranges: unknown[] = [];

    await queue.openReplica();
    await queue.time.runUntil(async () => {
      const { ranges: found } = await readArchive(queue);
      if ((await readCoverage(queue)).length === 1) ranges.push(...found);
      return (await readCoverage(queue)).length === 2;
    });

    expect(ranges).toEqual([]);
    expect((await readArchive(queue)).ranges).toEqual([
      {
        incarnation: 1,
        fromAt: firstHour.toAt,
        toAt: firstHour.toAt + 2 * hourMs,
        ...covered,
        isEmpty: 1,
      },
    ]);
  });

  test('covers the time of each slice that had not expired when that slice was sent', async () => {
    await using queue = await openSeededQueue({ backend, replicas: 0, streams: 0 });
    const fromAt = firstWindowAt + minuteMs;
    const jobId = await putPartition(queue, { slices: 2, fromAt, retentionDays: 30 });
    // The first slice is sent before its first log events expire, the second one later.
    const readyAt = startAt + 3 * minuteMs;
    await queue.database.queries
      .updateTable('slices')
      .set({ readyAt, notBeforeAt: readyAt })
      .where('jobId', '=', jobId)
      .where('number', '=', 1)
      .execute();

    await queue.openReplica();
    await queue.runUntilDone();

    const both = { fromAt, toAt: fromAt + 2 * hourMs };
    const [first, second] = await readCoverage(queue);
    expect(first?.exportedAt).toBeLessThan(fromAt + 30 * dayMs);
    expect(second?.exportedAt).toBeGreaterThan(fromAt + 30 * dayMs + minuteMs);
    expect(await readArchive(queue)).toMatchObject({
      work: [],
      ranges: [{ ...both, ...covered, isEmpty: 1 }],
    });
    expect(await coveredParts(queue)).toEqual([both]);
  });

  test.each([
    ['a part of its first slice', 30, 0],
    ['its first slice and a part of its second one', 90, 1],
  ])('covers nothing that had expired when it was sent: %s', async (_name, minutes, slice) => {
    await using queue = await openSeededQueue({ backend, replicas: 0 });
    const fromAt = firstWindowAt - minutes * minuteMs;
    await putPartition(queue, { slices: 2, fromAt, retentionDays: 30 });

    await queue.openReplica();
    await queue.runUntilDone();

    const { exportedAt = 0 } = (await readCoverage(queue))[slice] ?? {};
    const expiredAt = exportedAt - 30 * dayMs;
    const part = {
      fromAt: Math.ceil(expiredAt / minuteMs) * minuteMs,
      toAt: fromAt + 2 * hourMs,
    };
    expect(part.fromAt).toBeGreaterThanOrEqual(firstWindowAt);
    expect(await readArchive(queue)).toMatchObject({ work: [], ranges: [part] });
    expect(await coveredParts(queue)).toEqual([part]);
  });

  test('covers its partition until a refresh is due, and not the partition of a log group that was replaced', async () => {
    await using queue = await openSeededQueue({ backend, replicas: 0 });
    // The export is sent 30 days after the start of the partition.
    await putPartition(queue, { id: 'a-final', definition: { refreshDays: 29 } });
    await putPartition(queue, { id: 'b-refreshed', definition: { refreshDays: 31 } });
    const replaced = await putPartition(queue, { id: 'c-replaced' });
    await queue.database.queries
      .insertInto('archiveLogGroups')
      .values({
        archiveId: 'c-replaced',
        logGroupName: '/app',
        incarnation: 2,
        createdAt: startAt - 1,
        seenAt: startAt,
      })
      .execute();

    await queue.openReplica();
    await queue.runUntilDone();

    expect(await readLedger(queue.database)).toMatchObject([
      { archiveId: 'a-final', ...firstHour, ...covered },
      { archiveId: 'b-refreshed', ...firstHour, ...covered, again: 'refresh' },
    ]);
    const voids = (await readCoverage(queue)).filter(({ isVoid }) => isVoid === 1);
    expect(voids).toMatchObject([{ jobId: replaced, archiveId: 'c-replaced' }]);
    expect((await readArchive(queue)).work).toEqual([replaced]);
  });

  test('makes its archive due for a look when it fails', async () => {
    await using queue = await openSeededQueue({ backend, replicas: 0 });
    hideBuckets(queue);
    const jobId = await putPartition(queue, { destination: 'no-such-bucket' });

    await queue.openReplica();
    await queue.runUntilDone();

    expect(await queue.states()).toEqual(['failed']);
    expect(await readArchive(queue)).toEqual({ isLookDue: true, work: [jobId], ranges: [] });
  });

  test('makes its archive due for a look when it is cancelled', async () => {
    await using queue = await openSeededQueue({ backend, replicas: 0 });
    const jobId = await putPartition(queue);
    const before = await readArchive(queue);

    await queue.cancel(jobId);

    expect(before.isLookDue).toBe(false);
    expect(await readArchive(queue)).toEqual({ isLookDue: true, work: [jobId], ranges: [] });
  });
});
