import type { Queries } from '#database/database.ts';
import { whereWaiting } from '../../store/slice-conditions.ts';

/** An export task of a slice, as far as it is known. Instants are epoch ms. */
export interface SlotRun {
  jobId: string;
  caller: string;
  from: number;
  /** Null while it runs. */
  to: number | null;
  outcome: string | null;
  /** When its slice became ready for this attempt; null for an attempt that was followed by another one. */
  readyAt: number | null;
}

// A task takes half a minute at least, so a day has fewer. Lower: the timeline of a busy day begins late.
// Higher: more is read and decided for one picture.
const maxRuns = 3_000;

/** Reads the runs at a target that ended after a moment, or have not ended, the newest first. */
export async function readRuns(
  queries: Queries,
  target: string,
  since: number,
): Promise<SlotRun[]> {
  const rows = await queries
    .selectFrom('attempts')
    .innerJoin('slices', (on) =>
      on.onRef('slices.jobId', '=', 'attempts.jobId').onRef('slices.number', '=', 'attempts.slice'),
    )
    .where('attempts.target', '=', target)
    .where('attempts.taskId', 'is not', null)
    .where(({ eb, or }) => or([eb('endedAt', '>', since), eb('endedAt', 'is', null)]))
    .orderBy('submittedAt', 'desc')
    .limit(maxRuns)
    .select(['attempts.jobId', 'slices.caller', 'submittedAt', 'taskCreatedAt'])
    .select(['taskCompletedAt', 'endedAt', 'outcome', 'readyAt'])
    .select(['attempts.attempt', 'slices.attempt as latestAttempt', 'slices.state'])
    .execute();
  return rows.map((row) => ({
    jobId: row.jobId,
    caller: row.caller,
    from: row.taskCreatedAt ?? row.submittedAt,
    to: row.taskCompletedAt ?? row.endedAt,
    outcome: row.outcome,
    // A slice that waits again has the moment of its next attempt.
    readyAt: row.attempt === row.latestAttempt && row.state !== 'waiting' ? row.readyAt : null,
  }));
}

/** Reads the foreign tasks at a target that were seen after a moment, the newest first. */
export function readForeignTasks(queries: Queries, target: string, since: number) {
  return queries
    .selectFrom('foreignTasks')
    .select(['accountId', 'region', 'logGroupName', 'destination', 'destinationPrefix'])
    .select(['taskId', 'beganAt', 'seenUntil'])
    .where('target', '=', target)
    .where('seenUntil', '>', since)
    .orderBy('seenUntil', 'desc')
    .limit(maxForeignTasks)
    .execute();
}

// Each is decided for the caller. Lower: a day full of foreign tasks is shown in part. Higher: an answer takes longer.
const maxForeignTasks = 500;

/** Reads since when a slice of the target waits that could start; undefined if none does. */
export async function readWaitingSince(
  queries: Queries,
  target: string,
  at: number,
): Promise<number | undefined> {
  const row = await queries
    .selectFrom('slices')
    .select('readyAt')
    .where('target', '=', target)
    .where(whereWaiting)
    .orderBy('readyAt')
    .limit(1)
    .executeTakeFirst();
  return row && row.readyAt <= at ? row.readyAt : undefined;
}
