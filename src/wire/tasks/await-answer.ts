import type { Database } from '#database/database.ts';
import { readClock } from '#export-jobs/queue/read-queue.ts';
import { deleteRefusedTask } from '#export-jobs/store/tasks/delete-refused-task.ts';
import { keepTask } from '#export-jobs/store/tasks/keep-task.ts';
import { isNextToStart, isSlotTaken } from '#export-jobs/store/tasks/next-to-start.ts';
import { readTasks, type Task } from '#export-jobs/store/tasks/read-tasks.ts';
import type { ChangeWatch } from '#export-jobs/watching/change-watch.ts';
import { type AwsError, awsError } from '../protocol/aws-error.ts';

/**
 * The age up to which a create waits for AWS. Shorter: AWS's refusal ends a task that the client believes in. Longer:
 * clients that create many tasks wait for nothing.
 */
const waitMs = 2_000;
// The age up to which a refused task is deleted. Repeats wait longer, so that they find it deleted. A repeat that does
// not wait so long keeps it.
const deleteMs = 1_750;

/** What became of a new task: it is in the queue or at AWS, AWS has refused it, or another request deleted it. */
type EarlyAnswer = 'accepted' | 'deleted' | AwsError;

/** A task whose create waits for AWS. */
interface AwaitedTask {
  jobId: string;
  target: string;
  /** Whether this request has created it. Otherwise it is a repeat, and leaves the deletion to the first one. */
  isNew: boolean;
}

/**
 * Waits for the answer of AWS to a task that starts at once. A task that AWS refuses is deleted: so its client gets
 * the refusal as from AWS, and nothing is left but the audit.
 */
export async function awaitAnswer(
  { database, watch }: { database: Database; watch: ChangeWatch },
  { jobId, target, isNew }: AwaitedTask,
): Promise<EarlyAnswer> {
  const { signal } = new AbortController();
  // A repeat keeps the task whose id it answers. Otherwise the first request could delete it after that.
  const answerId = async () =>
    isNew || (await keepTask(database, jobId)) ? 'accepted' : 'deleted';
  if (isNew && !(await isNextToStart(database, target, jobId))) return 'accepted';
  for (;;) {
    const task = (await readTasks(database, database.queries, [jobId])).get(jobId);
    if (!task) return 'deleted';
    const ageMs = (await readClock(database)) - task.acceptedAt;
    if (isRefused(task) && isNew && ageMs < deleteMs) {
      const { code, message } = task.awsError;
      if (!(await deleteRefusedTask(database, jobId))) return 'accepted';
      watch.changed(jobId);
      return awsError(code, message);
    }
    const isOpen = isUndecided(task) || (isRefused(task) && !isNew);
    if (!isOpen || ageMs >= waitMs) return answerId();
    // AWS refuses nothing meanwhile. Many repeats behind a long task would wait for nothing.
    if (!isNew && (await isSlotTaken(database, target, jobId))) return answerId();
    await watch.waitForChange(jobId, task.version, { ms: waitMs - ageMs, signal });
  }
}

/** Whether AWS has not answered its first create. */
const isUndecided = ({ state, attempt }: Task) =>
  (state === 'waiting' && attempt === 0) || (state === 'starting' && attempt === 1);

/** Whether AWS has refused its first create. */
function isRefused(task: Task): task is Task & { awsError: NonNullable<Task['awsError']> } {
  const { state, attempt, awsTaskId, awsError: refusal } = task;
  return state === 'failed' && attempt === 1 && awsTaskId === null && refusal !== undefined;
}
