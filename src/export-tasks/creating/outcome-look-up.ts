import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { type AwsExportTask, withoutEndingSlashes } from '#aws/export-task.ts';
import type { EffectiveTask } from './effective-task.ts';

/** What a look-up needs of its surroundings: clocks in milliseconds, and sleep. */
export interface OutcomeLookUpOptions {
  /** Epoch time; only asked where AWS does not tell its own. */
  now: () => number;
  /** A clock that only goes forward. */
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
}

/** A task that AWS has, and the id of the answer that said so. */
export interface CreatedTask {
  taskId: string;
  awsRequestId: string | undefined;
}

/** A create whose outcome is unknown: when it began, by `elapsed`, and for whom. */
interface SentCreate {
  beganAt: number;
  caller: string;
}

/** What the looks at AWS's list came to. */
export interface OutcomeLookUp {
  found?: CreatedTask | undefined;
  /** Whether every look read AWS's whole list, and no task that may be the one was in it. */
  isUnlisted: boolean;
  /** A task that may be the one, but is not shown with all its values. */
  nearMiss?: AwsExportTask | undefined;
}

// Pauses before each look at AWS's list. AWS shows a task as soon as create has answered; when the
// answer was lost, the request itself may still be under way for a moment. That a list is as fast as
// a look by id is assumed: the last look allows it some seconds.
const pausesBeforeLooksMs = [0, 500, 2_000, 5_000];
// All looks together. Longer, and the caller's own timeout makes the outcome unknown to it again.
const lookForMs = 12_000;
// AWS's Date header is cut to the second, and its hosts' clocks differ a little.
const clockSlackMs = 2_000;

/**
 * Makes the look-up of creates whose answer was lost. The task is the one with every value equal to
 * ours, created after we began, that nobody else has been told about. It is unlisted only if every
 * look read the whole list, and there was none of our log group that may be as new as ours: AWS may
 * show a value otherwise than it was sent, and a task without a creation time may be old or new.
 */
export function makeOutcomeLookUp({ now, elapsed, sleep }: OutcomeLookUpOptions) {
  const told = makeRecentIds();

  /** Remembers a task as told to its caller, so that it is never taken for another's. */
  const markTold = (taskId: string) => told.add(taskId);

  /** Looks until the task is found or patience ends. */
  async function lookFor(
    logs: CloudWatchLogs,
    task: EffectiveTask,
    create: SentCreate,
  ): Promise<OutcomeLookUp> {
    const lookUntil = elapsed() + lookForMs;
    let isUnlisted = true;
    let nearMiss: AwsExportTask | undefined;
    for (const pauseMs of pausesBeforeLooksMs) {
      if (elapsed() + pauseMs > lookUntil) return { isUnlisted: false, nearMiss };
      await sleep(pauseMs);
      const look = await lookOnce(logs, task, { ...create, lookUntil }).catch(lookThatFailed);
      if (look.found) return look;
      isUnlisted &&= look.isUnlisted;
      nearMiss = look.nearMiss ?? nearMiss;
    }
    return { isUnlisted, nearMiss };
  }

  async function lookOnce(
    logs: CloudWatchLogs,
    task: EffectiveTask,
    { beganAt, caller, lookUntil }: SentCreate & { lookUntil: number },
  ): Promise<OutcomeLookUp> {
    let nearMiss: AwsExportTask | undefined;
    for (const query of [{ statusCode: 'RUNNING' }, { statusCode: 'PENDING' }, {}] as const) {
      const isNewestFirst = !('statusCode' in query); // of the order under a filter nothing is known
      let nextToken: string | undefined;
      do {
        if (elapsed() > lookUntil) return { isUnlisted: false, nearMiss };
        const page = await logs.describeExportTasks(
          { ...query, limit: 50, ...(nextToken !== undefined && { nextToken }) },
          { isFresh: true, caller, lane: 'write' },
        );
        // Our beginning on AWS's own clock: ours may be off by any amount.
        const beganThereAt = (page.answeredAt ?? now()) - (elapsed() - beganAt) - clockSlackMs;
        const candidates = page.exportTasks.filter(
          ({ taskId, logGroupName = task.logGroupName, executionInfo }) =>
            logGroupName === task.logGroupName &&
            (executionInfo?.creationTime ?? beganThereAt) >= beganThereAt &&
            (taskId === undefined || !told.has(taskId)),
        );
        const ours = candidates.find((candidate) => isCertainlyOf(candidate, task));
        if (ours?.taskId !== undefined) {
          markTold(ours.taskId); // at once: another look-up may be under way
          const found = { taskId: ours.taskId, awsRequestId: page.awsRequestId };
          return { found, isUnlisted: false };
        }
        nearMiss ??= candidates[0];
        const isPast = isNewestFirst && endsBefore(page.exportTasks, beganThereAt);
        nextToken = isPast ? undefined : page.nextToken;
      } while (nextToken !== undefined);
    }
    return { isUnlisted: nearMiss === undefined, nearMiss };
  }

  return { lookFor, markTold };
}

/** An unanswered look tells nothing of the task. */
const lookThatFailed = (): OutcomeLookUp => ({ isUnlisted: false });

/** Whether tasks are the newest first, each with its time, down to one created before this time. */
function endsBefore(tasks: readonly AwsExportTask[], time: number): boolean {
  const times = tasks.map(({ executionInfo }) => executionInfo?.creationTime);
  const isInOrder = times.every(
    (at, index) => at !== undefined && at <= (times[index - 1] ?? Number.POSITIVE_INFINITY),
  );
  return isInOrder && (times.at(-1) ?? time) < time;
}

// logStreamNamePrefix cannot be compared: AWS never shows it.
function isCertainlyOf(candidate: AwsExportTask, task: EffectiveTask): boolean {
  return (
    candidate.executionInfo?.creationTime !== undefined &&
    candidate.taskName === task.taskName &&
    candidate.logGroupName === task.logGroupName &&
    candidate.from === task.from &&
    candidate.to === task.to &&
    candidate.destination === task.destination &&
    candidate.destinationPrefix !== undefined &&
    withoutEndingSlashes(candidate.destinationPrefix) ===
      withoutEndingSlashes(task.destinationPrefix)
  );
}

/** Ids of tasks that callers were told about lately; the newest thousand. */
function makeRecentIds() {
  const ids = new Set<string>();
  return {
    has: (id: string) => ids.has(id),
    add(id: string) {
      ids.add(id);
      if (ids.size > 1_000) ids.delete(ids.values().next().value as string);
    },
  };
}
