import type { Queries } from '#database/database.ts';
import type { SlotHolder } from '#targets/slot/slot.ts';
import { whereActive } from '../../store/slice-conditions.ts';

/** Reads the slice that holds the slot of a target, with its attempt; `undefined` when none does. */
export async function readSlotHolder(queries: Queries, target: string) {
  return await queries
    .selectFrom('slices')
    .innerJoin('attempts', (on) =>
      on
        .onRef('attempts.jobId', '=', 'slices.jobId')
        .onRef('attempts.slice', '=', 'slices.number')
        .onRef('attempts.attempt', '=', 'slices.attempt'),
    )
    .where('slices.target', '=', target)
    .where(whereActive)
    .select([
      'slices.jobId',
      'slices.number as slice',
      'attempts.taskId',
      'attempts.taskCreatedAt',
      'attempts.submittedAt',
      'attempts.problem',
      'slices.state',
    ])
    .executeTakeFirst();
}

// Refused and cancelled attempts say nothing about durations. Fewer: after a series of refusals none
// is left that does, and the series seems shorter than it is. More: each count of the queue reads more rows.
const maxAttempts = 100;

/** Reads the attempts at a target that ended last, in the reverse order of their creates. */
export async function readLatestAttempts(queries: Queries, target: string) {
  const attempts = await queries
    .selectFrom('attempts')
    .innerJoin('slices', (on) =>
      on.onRef('slices.jobId', '=', 'attempts.jobId').onRef('slices.number', '=', 'attempts.slice'),
    )
    .select(['taskId', 'submittedAt', 'endedAt', 'outcome', 'attempts.problem', 'slices.state'])
    .where('attempts.target', '=', target)
    .where('endedAt', 'is not', null)
    .orderBy('endedAt', 'desc')
    .limit(maxAttempts)
    .$narrowType<{ endedAt: number }>()
    .execute();
  // The index has their ends. A verification that fails writes the end of an accepted attempt again.
  return attempts.sort((one, other) => other.submittedAt - one.submittedAt);
}

/** Reads the export tasks of attempts that ended after a moment, or have not ended. */
export async function readTasksSince(queries: Queries, target: string, since: number) {
  return await queries
    .selectFrom('attempts')
    .select(['taskId', 'taskCreatedAt', 'submittedAt', 'taskCompletedAt', 'endedAt'])
    .where('target', '=', target)
    .where('taskId', 'is not', null)
    .where(({ eb, or }) => or([eb('endedAt', '>', since), eb('endedAt', 'is', null)]))
    .$narrowType<{ taskId: string }>()
    .execute();
}

// How long the last look of the slot's owner at a foreign task counts. Shorter: AWS is asked more often, and a task is
// awaited although the slot is taken. Longer: one that could start at once is not awaited.
const foreignFreshForMs = 20_000;

/**
 * Reads the foreign task that the owner of a slot has just seen in it. `at` is the time of the database. The
 * destination is that of this very task: an older owner changes the slot and leaves the destination alone.
 */
export async function readForeignTask(queries: Queries, target: string, at: number) {
  return await queries
    .selectFrom('slots')
    .leftJoin('foreignTasks', (on) =>
      on
        .onRef('foreignTasks.target', '=', 'slots.target')
        .onRef('foreignTasks.taskId', '=', 'slots.foreignTaskId'),
    )
    .select(['foreignTaskId', 'foreignLogGroupName as logGroupName', 'foreignSince'])
    .select([
      'foreignSeenAt',
      'slots.accountId',
      'slots.region',
      'destination',
      'destinationPrefix',
    ])
    .where('slots.target', '=', target)
    .where('foreignTaskId', 'is not', null)
    .where('foreignSeenAt', '>=', at - foreignFreshForMs)
    .$narrowType<{ foreignTaskId: string; foreignSeenAt: number }>()
    .executeTakeFirst();
}

/** The resources of a foreign task, from its row. */
export function toSlotHolder(row: {
  accountId: string | null;
  region: string | null;
  logGroupName: string | null;
  destination: string | null;
  destinationPrefix: string | null;
}): SlotHolder {
  return {
    accountId: row.accountId ?? undefined,
    region: row.region ?? undefined,
    logGroupName: row.logGroupName ?? undefined,
    destination: row.destination ?? undefined,
    destinationPrefix: row.destinationPrefix ?? undefined,
  };
}
