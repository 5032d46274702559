import type { Selectable } from 'kysely';

import type { Database } from '#database/database.ts';
import { engineSql } from '#database/engine-sql.ts';
import type { JobRow } from '#database/tables.ts';
import { inChunks } from '#paging/in-chunks.ts';
import { type SliceCounts, type SliceState, sliceStates } from '../../slice.ts';
import type { VerifiedTotals } from '../../verification/verification-view.ts';
import {
  type ProofGaps,
  toProofGaps,
  verifiedTotals,
} from '../verifications/read-verifications.ts';

/** A job with the counts of its slices, all of one instant: that of its version. */
export interface JobSnapshot {
  job: Selectable<JobRow>;
  counts: SliceCounts;
  /** The earliest `notBeforeAt` of its waiting slices. */
  notBeforeAt: number | null;
  startedAt: number | null;
  verified: VerifiedTotals;
  /** What their verifications lacked. */
  proofGaps: ProofGaps;
  /** When it last changed. */
  changedAt: number;
  /**
   * The kinds of problems of its failed slices, the most frequent first, each with one example as
   * JSON.
   */
  failures: { slices: number; problem: string }[];
}

// A job can have ten thousand slices, which takes some 20 ms. Fewer: a list takes more statements. More: other
// requests wait, because SQLite works on the thread of its caller.
const jobsPerStatement = 4;

/**
 * Reads jobs with the counts of their slices, a few jobs in one statement. So each snapshot is of one
 * instant.
 */
export async function readJobs(
  database: Database,
  jobIds: readonly string[],
): Promise<Map<string, JobSnapshot>> {
  const snapshots = new Map<string, JobSnapshot>();
  for await (const chunk of inChunks(jobIds, jobsPerStatement))
    for (const [id, snapshot] of await readSnapshots(database, chunk)) snapshots.set(id, snapshot);
  return snapshots;
}

async function readSnapshots(
  { queries, kind }: Database,
  jobIds: readonly string[],
): Promise<Map<string, JobSnapshot>> {
  const bucketPolicy = engineSql[kind].jsonText('problem', 'bucketPolicy');
  const rows = await queries
    .with('groups', (db) =>
      db
        .selectFrom('slices')
        .select(({ fn }) => [
          'jobId as ofJob',
          'state',
          fn.countAll<number>().as('slices'),
          fn.min('notBeforeAt').as('notBeforeAt'),
          // One slice of a shared cause has the bucket policy.
          fn
            .coalesce(
              fn.min('problem').filterWhere(bucketPolicy, 'is not', null),
              fn.min('problem'),
            )
            .as('problem'),
        ])
        .where('jobId', 'in', jobIds)
        .groupBy(['jobId', 'state', engineSql[kind].jsonText('problem', 'type')]),
    )
    .with('starts', (db) =>
      db
        .selectFrom('attempts')
        .select(({ fn }) => ['jobId as ofJob', fn.min('submittedAt').as('startedAt')])
        .where('jobId', 'in', jobIds)
        .where((of) => of.or([of('taskId', 'is not', null), of('outcome', 'is', null)]))
        .groupBy('jobId'),
    )
    .with('totals', (db) =>
      db
        .selectFrom('verifications')
        .select(['jobId as ofJob', ...verifiedTotals])
        .where('jobId', 'in', jobIds)
        .where('endedAt', 'is not', null)
        .where('method', 'is not', null)
        .groupBy('jobId'),
    )
    .selectFrom('jobs')
    .innerJoin('groups', 'groups.ofJob', 'jobs.id')
    .innerJoin('events', (join) =>
      join.onRef('events.jobId', '=', 'jobs.id').onRef('events.version', '=', 'jobs.version'),
    )
    .leftJoin('starts', 'starts.ofJob', 'jobs.id')
    .leftJoin('totals', 'totals.ofJob', 'jobs.id')
    .selectAll('jobs')
    .select(['startedAt', 'events.at', 'groups.state', 'groups.slices', 'notBeforeAt', 'problem'])
    .select(['verifiedSlices', 'emptySlices', 'skippedSlices', 'objects', 'bytes', 'streams'])
    .select(['unprovenSlices', 'uncountedSlices', 'cutSearches', 'deniedActions'])
    .where('jobs.id', 'in', jobIds)
    .execute();

  const snapshots = new Map<string, JobSnapshot>();
  for (const row of rows) {
    const { state, slices, notBeforeAt, problem, startedAt, at, ...columns } = row;
    const { verifiedSlices, emptySlices, skippedSlices, objects, bytes, streams, ...others } =
      columns;
    const { unprovenSlices, uncountedSlices, cutSearches, deniedActions, ...job } = others;
    const snapshot = snapshots.get(job.id) ?? {
      job,
      counts: Object.fromEntries(sliceStates.map((each) => [each, 0])) as SliceCounts,
      notBeforeAt: null,
      startedAt,
      verified: {
        slices: verifiedSlices ?? 0,
        emptySlices: emptySlices ?? 0,
        skippedSlices: skippedSlices ?? 0,
        unprovenSlices: unprovenSlices ?? 0,
        uncountedSlices: uncountedSlices ?? 0,
        objects: objects ?? 0,
        bytes: bytes ?? 0,
        streams: streams ?? 0,
      },
      proofGaps: toProofGaps({ cutSearches, deniedActions }),
      changedAt: at,
      failures: [],
    };
    snapshots.set(job.id, snapshot);
    snapshot.counts[state as SliceState] += slices;
    if (state === 'failed' && problem !== null) snapshot.failures.push({ slices, problem });
    if (state === 'waiting' && notBeforeAt !== null) {
      snapshot.notBeforeAt = Math.min(notBeforeAt, snapshot.notBeforeAt ?? notBeforeAt);
    }
  }
  for (const { failures } of snapshots.values()) failures.sort((a, b) => b.slices - a.slices);
  return snapshots;
}
