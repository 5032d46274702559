import type { Selectable } from 'kysely';
import type { Database, Queries } from '#database/database.ts';
import type { CoverageRow } from '#database/rows/coverage-row.ts';
import { awsLimits } from '#problems/limits.ts';
import { dayMs } from '#time/durations.ts';
import { exportableFrom } from './ledger/exportable.ts';
import { lockLogGroup, putRange } from './ledger/put-range.ts';
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
 * reversed: then it covers nothing.
 */
export async function recordCoverage(
  queries: Queries,
  database: Pick<Database, 'now'>,
  slice: CompletedSlice,
  findings: CoverageFindings,
): Promise<void> {
  const { jobId, logGroupName, fromAt, toAt, archiveId, incarnation, submittedAt } = slice;
  const isSettled = submittedAt >= toAt + awsLimits.settlingMs;
  if (!isSettled || slice.logStreamNamePrefix !== null || fromAt >= toAt) return;
  const isOfArchive = archiveId !== null && incarnation !== null;
  const job = isOfArchive ? { archiveId, incarnation, jobId, logGroupName } : undefined;
  const isVoid = job !== undefined && (await isReplaced(queries, job, submittedAt));
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
      fromAt,
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
      isVoid: isVoid ? 1 : 0,
    })
    .execute();
  if (job && !isVoid) await coverPartition(queries, job);
}

/** What a job of an archive exports. */
interface JobOfArchive {
  archiveId: string;
  incarnation: number;
  jobId: string;
  logGroupName: string;
}

/**
 * Whether the log group was deleted and created again before it was exported: then the export is of the new one.
 * Locks the log group first, so that nobody records the new one meanwhile.
 */
async function isReplaced(
  queries: Queries,
  { archiveId, incarnation, logGroupName }: JobOfArchive,
  exportedAt: number,
): Promise<boolean> {
  await lockLogGroup(queries, { archiveId, logGroupName, incarnation });
  const newer = await queries
    .selectFrom('archiveLogGroups')
    .select('incarnation')
    .where((row) => row.and({ archiveId, logGroupName }))
    .where('incarnation', '>', incarnation)
    .where('createdAt', '<=', exportedAt)
    .executeTakeFirst();
  return newer !== undefined;
}

/** Writes the partition of a job into the ledger, and deletes its work, if each slice of the job is covered. */
async function coverPartition(queries: Queries, job: JobOfArchive): Promise<void> {
  const { archiveId, incarnation, jobId, logGroupName } = job;
  const { slices } = await queries
    .selectFrom('slices')
    .select(({ fn }) => fn.countAll<number>().as('slices'))
    .where('jobId', '=', jobId)
    .where('state', '!=', 'split')
    .executeTakeFirstOrThrow();
  const covered = await queries
    .selectFrom('coverage')
    .select(({ fn }) => [
      fn.countAll<number>().as('slices'),
      fn.min('fromAt').as('fromAt'),
      fn.max('toAt').as('toAt'),
      fn.min('isEmpty').as('isEmpty'),
      fn.min('exportedAt').as('exportedAt'),
      fn.max('exportedAt').as('lastExportedAt'),
    ])
    .where('jobId', '=', jobId)
    .where('isVoid', '=', 0)
    .executeTakeFirstOrThrow();
  if (covered.slices !== slices) return;
  const { definition } = await queries
    .selectFrom('archives')
    .select('definition')
    .where('id', '=', archiveId)
    .executeTakeFirstOrThrow();
  const { partitionBy, refreshDays }: DefinitionFacts = JSON.parse(definition);
  const { toAt, isEmpty, exportedAt, lastExportedAt } = covered;
  const key = { archiveId, logGroupName, incarnation };
  const logGroup = await lockLogGroup(queries, key);
  const { retentionDays = null } = logGroup ?? {};
  const expiry = { partitionBy, retentionDays, goneAt: null, now: lastExportedAt };
  // What had expired when it was exported is not in S3.
  const fromAt = Math.max(covered.fromAt, exportableFrom(expiry));
  const isLateEventPossible = exportedAt < toAt + refreshDays * dayMs;
  const again = isLateEventPossible ? 'refresh' : null;
  if (fromAt < toAt)
    await putRange(
      queries,
      { ...key, partitionBy },
      { fromAt, toAt, state: 'covered', isEmpty, again, cause: null },
    );
  await queries
    .deleteFrom('archivePartitions')
    .where((row) => row.and({ ...key, jobId }))
    .execute();
}

/** What a definition of an archive says about coverage. */
interface DefinitionFacts {
  partitionBy: PartitionBy;
  refreshDays: number;
}
