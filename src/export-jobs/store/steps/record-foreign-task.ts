import type { Database } from '#database/database.ts';
import type { Lease } from './hold-lease.ts';

/** A task in the slot that belongs to no job. */
export interface ForeignTask {
  taskId: string;
  logGroupName: string | undefined;
  since: number | undefined;
}

/**
 * Records which foreign task is in the slot, or that there is none. Callers see it as the slot
 * status.
 */
export async function recordForeignTask(
  database: Database,
  { target, owner, fence }: Lease,
  task: ForeignTask | undefined,
): Promise<void> {
  await database.queries
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
}
