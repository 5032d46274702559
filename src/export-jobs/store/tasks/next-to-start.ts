import type { Database } from '#database/database.ts';
import { readClock } from '../../queue/read-queue.ts';
import { readForeignTask } from '../../queue/slot/read-slot.ts';
import { whereActive, whereWaiting } from '../slice-conditions.ts';

/** Whether a job is the only one that waits at its target, and nothing is known to hold the slot. */
export async function isNextToStart(
  database: Database,
  target: string,
  jobId: string,
): Promise<boolean> {
  const isBehind = await hasOtherSlice(database, { target, jobId, where: whereWaiting });
  return !isBehind && !(await isSlotTaken(database, target, jobId));
}

/** Whether something else than a job is known to hold the slot of its target. */
export async function isSlotTaken(
  database: Database,
  target: string,
  jobId: string,
): Promise<boolean> {
  if (await hasOtherSlice(database, { target, jobId, where: whereActive })) return true;
  const at = await readClock(database);
  return (await readForeignTask(database.queries, target, at)) !== undefined;
}

/** Whether another job has a slice at the target that fulfils a condition. */
async function hasOtherSlice(
  { queries }: Database,
  { target, jobId, where }: { target: string; jobId: string; where: typeof whereWaiting },
): Promise<boolean> {
  const other = await queries
    .selectFrom('slices')
    .select('number')
    .where('target', '=', target)
    .where('jobId', '!=', jobId)
    .where(where)
    .limit(1)
    .executeTakeFirst();
  return other !== undefined;
}
