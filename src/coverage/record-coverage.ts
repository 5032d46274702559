import type { Selectable } from 'kysely';
import type { Database, Queries } from '#database/database.ts';
import type { CoverageRow } from '#database/rows/coverage-row.ts';
import { awsLimits } from '#problems/limits.ts';
import { dayMs } from '#time/durations.ts';
import { partsOutside } from '#time/window.ts';
import { exportableFrom, retentionAt, wholeFrom } from './ledger/exportable.ts';
import { type LedgerKey, lockLogGroup, putRange } from './ledger/put-range.ts';
import type { PartitionBy } from './ledger/units.ts';

/** What a verification found in S3. */
export type CoverageFindings = Pick<
  Selectable<CoverageRow>,
  'method' | 'objects' | 'bytes' | 'events' | 'manifestKey' | 'manifestSha256'
> & { isEmpty: 0 | 1 | null };

/** A completed slice, and the partition of an archive that its job exports. */
export interface CompletedSlice
  extends Omit<
    Selectable<CoverageRow>,
    keyof CoverageFindings | 'exportedAt' | 'coveredAt' | 'isVoid'
  > {
  /** When its export was sent to AWS. */
  submittedAt: number;
  /** The log streams that the export was limited to; null for all. */
  logStreamNamePrefix: string | null;
}

/**
 * Records what a verified slice proves to be in S3, in the transaction that completes it. The row of its job is
 * locked, and the slice is completed in it. When all slices of a job of an archive are covered, the partition is
 * covered in the ledger of the archive.
 *
 * It records nothing if the export was limited to some log streams, or was sent before all log events of the time
 * range were exportable: then it does not prove that all of them are in S3. The time range of a task of AWS can be
 * reversed: then it covers nothing. A slice of an archive covers the part of its time range that had not expired
 * when it was sent. The retention of other log groups is not known.
 */
export async function recordCoverage(
  queries: Queries,
  database: Pick<Database, 'kind' | 'now'>,
  slice: CompletedSlice,
  findings: CoverageFindings,
): Promise<void> {
  const { jobId, logGroupName, fromAt, toAt, archiveId, incarnation, submittedAt } = slice;
  const isSettled = submittedAt >= toAt + awsLimits.settlingMs;
  if (!isSettled || slice.logStreamNamePrefix !== null || fromAt >= toAt) return;
  const isOfArchive = archiveId !== null && incarnation !== null;
  const key = isOfArchive ? { archiveId, incarnation, logGroupName } : undefined;
  const logGroup = key && (await readLogGroup(queries, database, key, submittedAt));
  await queries
    .insertInto('coverage')
    .values({
      jobId,
      slice: slice.slice,
      attempt: slice.attempt,
      target: slice.target,
      accountId: slice.accountId,
      region: slice.region,
      logGroupName,
      // A slice that had expired has a row, too, because the others of its job wait for it.
      fromAt: Math.min(toAt, Math.max(fromAt, logGroup?.exportableAt ?? fromAt)),
      toAt,
      destination: slice.destination,
      destinationPrefix: slice.destinationPrefix,
      taskId: slice.taskId,
      archiveId,
      incarnation,
      revision: slice.revision,
      method: findings.method,
      isEmpty: findings.isEmpty ?? 0,
      objects: findings.objects,
      bytes: findings.bytes,
      events: findings.events,
      manifestKey: findings.manifestKey,
      manifestSha256: findings.manifestSha256,
      exportedAt: submittedAt,
      coveredAt: database.now(),
      isVoid: logGroup?.isReplaced ? 1 : 0,
    })
    .execute();
  if (logGroup && !logGroup.isReplaced) await coverPartition(queries, database, logGroup, jobId);
}

/** A log group of an archive, as it was when it was exported. */
interface ExportedLogGroup extends LedgerKey, DefinitionFacts {
  /** From when on its log events had not expired. */
  exportableAt: number;
  /** Before it, an export without objects proves nothing. */
  doubtfulUntilAt: number;
  /** Exports that were sent later were sent under the known retention. */
  retentionFoundAt: number;
  /** Whether it had been deleted and created again: then the export is of the new one. */
  isReplaced: boolean;
}

/** What a definition of an archive says about coverage. */
interface DefinitionFacts {
  partitionBy: PartitionBy;
  refreshDays: number;
}

/**
 * Reads a log group of an archive. Locks it first, so that nobody records a new one meanwhile. The archive is locked
 * against changes: one of `refreshDays` either finds the covered range, or is known here.
 */
async function readLogGroup(
  queries: Queries,
  { kind }: Pick<Database, 'kind'>,
  key: LedgerKey,
  exportedAt: number,
): Promise<ExportedLogGroup> {
  const { archiveId, logGroupName, incarnation } = key;
  const { definition } = await queries
    .selectFrom('archives')
    .select('definition')
    .where('id', '=', archiveId)
    .$if(kind === 'postgres', (query) => query.forShare())
    .executeTakeFirstOrThrow();
  const { partitionBy, refreshDays }: DefinitionFacts = JSON.parse(definition);
  const logGroup = await lockLogGroup(queries, key);
  const retentionDays = logGroup ? retentionAt(logGroup, exportedAt) : null;
  const newer = await queries
    .selectFrom('archiveLogGroups')
    .select('incarnation')
    .where((row) => row.and({ archiveId, logGroupName }))
    .where('incarnation', '>', incarnation)
    .where('createdAt', '<=', exportedAt)
    .executeTakeFirst();
  const expiry = { partitionBy, retentionDays, goneAt: null, now: exportedAt };
  const facts = { partitionBy, refreshDays, exportableAt: exportableFrom(expiry) };
  const { doubtfulUntilAt, retentionFoundAt } = logGroup ?? {};
  return {
    ...key,
    ...facts,
    doubtfulUntilAt: doubtfulUntilAt ?? -Infinity,
    retentionFoundAt: retentionFoundAt ?? -Infinity,
    isReplaced: newer !== undefined,
  };
}

/**
 * Writes the partition of a job into the ledger, and deletes its work, if each slice of the job is covered. Log events
 * expire oldest first. So log events in the partition prove that none of later time have expired.
 */
async function coverPartition(
  queries: Queries,
  { now }: Pick<Database, 'now'>,
  { partitionBy, refreshDays, doubtfulUntilAt, retentionFoundAt, ...logGroup }: ExportedLogGroup,
  jobId: string,
): Promise<void> {
  const { archiveId, logGroupName, incarnation } = logGroup;
  const key = { archiveId, logGroupName, incarnation };
  const { slices } = await queries
    .selectFrom('slices')
    .select(({ fn }) => fn.countAll<number>().as('slices'))
    .where('jobId', '=', jobId)
    .where('state', '!=', 'split')
    .executeTakeFirstOrThrow();
  const ofJob = queries.selectFrom('coverage').where('jobId', '=', jobId).where('isVoid', '=', 0);
  const covered = await ofJob
    .select(({ fn }) => [
      fn.countAll<number>().as('slices'),
      fn.min('fromAt').as('fromAt'),
      fn.max('toAt').as('toAt'),
      fn.min('isEmpty').as('isEmpty'),
      fn.min('exportedAt').as('exportedAt'),
    ])
    .executeTakeFirstOrThrow();
  if (covered.slices !== slices) return;
  const { isEmpty, exportedAt, ...whole } = covered;
  if (isEmpty === 1 && whole.fromAt < doubtfulUntilAt) {
    // The rest is a gap, and is exported on its own.
    const provenFrom = wholeFrom(doubtfulUntilAt, partitionBy);
    const rows = queries.updateTable('coverage').where('jobId', '=', jobId).where('isVoid', '=', 0);
    await rows.set('isVoid', 1).where('toAt', '<=', provenFrom).execute();
    if (whole.toAt <= provenFrom) return;
    await rows.set('fromAt', provenFrom).where('fromAt', '<', provenFrom).execute();
  }
  if (isEmpty === 0 && whole.toAt < doubtfulUntilAt && exportedAt >= retentionFoundAt) {
    await queries
      .updateTable('archiveLogGroups')
      .set('doubtfulUntilAt', whole.toAt)
      .where((row) => row.and(key))
      .execute();
    // Without objects, later ones waited for this one.
    await queries
      .updateTable('archivePartitions')
      .set({ retryAt: now() })
      .where((row) => row.and({ ...key, state: 'missing' }))
      .where('retryAt', 'is', null)
      .where('fromAt', '>=', whole.toAt)
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom('coverage')
            .select('coverage.jobId')
            .whereRef('coverage.jobId', '=', 'archivePartitions.jobId')
            .where('isVoid', '=', 1)
            .where('isEmpty', '=', 1),
        ),
      )
      .execute();
  }
  const isLateEventPossible = exportedAt < whole.toAt + refreshDays * dayMs;
  const again = isLateEventPossible ? 'refresh' : null;
  const windows = await ofJob.select(['fromAt', 'toAt']).orderBy('fromAt').execute();
  // Neighbours are one window, so that a job of many slices changes few ranges.
  for (const window of partsOutside(whole, partsOutside(whole, windows)))
    await putRange(
      queries,
      { ...key, partitionBy },
      { ...window, state: 'covered', isEmpty, again, cause: null },
    );
  await queries
    .deleteFrom('archivePartitions')
    .where((row) => row.and({ ...key, jobId }))
    .execute();
}
