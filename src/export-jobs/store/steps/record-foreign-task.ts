import type { Database, Queries } from '#database/database.ts';
import type { SlotRow } from '#database/rows/slot-rows.ts';
import type { SlotHolder } from '#targets/slot/slot.ts';
import { dayMs } from '#time/durations.ts';
import type { Lease } from './hold-lease.ts';

/** A task in the slot that belongs to no job. */
export interface ForeignTask extends Omit<SlotHolder, 'accountId' | 'region'> {
  taskId: string;
  since: number | undefined;
}

// The timeline of a target shows a day. Shorter: it has gaps. Longer: rows that nothing reads.
const keptMs = 2 * dayMs;

/**
 * Records which foreign task is in the slot, or that there is none. Callers see it as the slot
 * status, and later in the timeline of the target.
 */
export async function recordForeignTask(
  database: Database,
  { target, owner, fence }: Lease,
  task: ForeignTask | undefined,
): Promise<void> {
  await database.transaction(async (queries) => {
    const slot = await queries
      .selectFrom('slots')
      .select(['foreignTaskId', 'accountId', 'region'])
      .where('target', '=', target)
      .where('owner', '=', owner)
      .where('fence', '=', fence)
      .executeTakeFirst();
    if (!slot) return; // another replica owns the slot
    const { foreignTaskId, ...place } = slot;
    if (!task && foreignTaskId !== null) await recordEnd(queries, database, target, foreignTaskId);
    if (task) await recordSight(queries, database, { target, ...place }, task);
    if (task && task.taskId !== foreignTaskId) await deleteOld(queries, database);
    await queries
      .updateTable('slots')
      .set({
        foreignTaskId: task?.taskId ?? null,
        foreignLogGroupName: task?.logGroupName ?? null,
        foreignSince: task?.since ?? null,
        foreignSeenAt: database.now(),
      })
      .where('target', '=', target)
      .where('owner', '=', owner)
      .where('fence', '=', fence)
      .execute();
  });
}

async function recordEnd(
  queries: Queries,
  { now }: Database,
  target: string,
  taskId: string,
): Promise<void> {
  await queries
    .updateTable('foreignTasks')
    .set({ seenUntil: now() })
    .where('target', '=', target)
    .where('taskId', '=', taskId)
    .execute();
}

async function recordSight(
  queries: Queries,
  { now }: Database,
  { target, ...place }: Pick<SlotRow, 'target' | 'accountId' | 'region'>,
  { taskId, logGroupName, destination, destinationPrefix, since }: ForeignTask,
): Promise<void> {
  const seen = {
    ...place,
    destination: destination ?? null,
    destinationPrefix: destinationPrefix ?? null,
    seenUntil: now(),
  };
  await queries
    .insertInto('foreignTasks')
    .values({
      target,
      taskId,
      logGroupName: logGroupName ?? null,
      beganAt: since ?? now(),
      ...seen,
    })
    .onConflict((known) => known.columns(['target', 'taskId']).doUpdateSet(seen))
    .execute();
}

/** Deletes old tasks of all targets: some targets are removed. */
async function deleteOld(queries: Queries, { now }: Database): Promise<void> {
  await queries
    .deleteFrom('foreignTasks')
    .where('seenUntil', '<', (of) => of(now(), '-', keptMs))
    .execute();
}
