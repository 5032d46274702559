import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { ExportTask } from '#aws/export-task.ts';
import type { EffectiveTask } from './effective-task.ts';

/** What a look-up needs of its surroundings: clocks in milliseconds, and sleep. */
export interface LookUpOptions {
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

// Pauses before each look at AWS's list. AWS shows a task as soon as create has answered; when the
// answer was lost, the request itself may still be under way for a moment.
const pausesBeforeLooksMs = [0, 500, 2_000];
// All looks together. Longer, and the caller's own timeout makes the outcome unknown to it again.
const lookForMs = 8_000;
// AWS's Date header is cut to the second, and its hosts' clocks differ a little.
const clockSlackMs = 2_000;

/**
 * Makes the look-up of creates whose answer was lost. The task is the one with every value equal to
 * ours, created after we began, that nobody else has been told about.
 */
export function makeLookUp({ now, elapsed, sleep }: LookUpOptions) {
  const told = makeRecentIds();

  /** Remembers a task as told to its caller, so that it is never taken for another's. */
  const markTold = (taskId: string) => told.add(taskId);

  /** Looks until the task is found or patience ends; `isCertain` if every look was a whole one. */
  async function lookFor(
    logs: CloudWatchLogs,
    task: EffectiveTask,
    create: SentCreate,
  ): Promise<{ found?: CreatedTask; isCertain: boolean }> {
    const lookUntil = elapsed() + lookForMs;
    let isCertain = true;
    for (const pauseMs of pausesBeforeLooksMs) {
      if (elapsed() + pauseMs > lookUntil) return { isCertain: false };
      await sleep(pauseMs);
      try {
        const found = await lookOnce(logs, task, create);
        if (found) return { found, isCertain };
      } catch {
        isCertain = false; // an unanswered look is not an absent task
      }
    }
    return { isCertain };
  }

  async function lookOnce(
    logs: CloudWatchLogs,
    task: EffectiveTask,
    { beganAt, caller }: SentCreate,
  ): Promise<CreatedTask | undefined> {
    for (const query of [{ statusCode: 'RUNNING' }, { statusCode: 'PENDING' }, {}] as const) {
      let nextToken: string | undefined;
      do {
        const page = await logs.describeExportTasks(
          { ...query, limit: 50, ...(nextToken !== undefined && { nextToken }) },
          { isFresh: true, caller, lane: 'write' },
        );
        // Our beginning on AWS's own clock: ours may be off by any amount.
        const beganThereAt = (page.answeredAt ?? now()) - (elapsed() - beganAt) - clockSlackMs;
        const isOurs = (candidate: ExportTask): candidate is ExportTask & { taskId: string } =>
          candidate.taskId !== undefined &&
          !told.has(candidate.taskId) &&
          createdAt(candidate) >= beganThereAt &&
          hasValuesOf(candidate, task);
        const found = page.exportTasks.find(isOurs);
        if (found) {
          markTold(found.taskId); // at once: another look-up may be under way
          return { taskId: found.taskId, awsRequestId: page.awsRequestId };
        }
        const isOlder = page.exportTasks.some((candidate) => createdAt(candidate) < beganThereAt);
        nextToken = isOlder ? undefined : page.nextToken;
      } while (nextToken !== undefined);
    }
    return undefined;
  }

  return { lookFor, markTold };
}

function createdAt(task: ExportTask): number {
  return task.executionInfo?.creationTime ?? Number.POSITIVE_INFINITY;
}

// logStreamNamePrefix cannot be compared: AWS never shows it.
function hasValuesOf(candidate: ExportTask, task: EffectiveTask): boolean {
  return (
    candidate.taskName === task.taskName &&
    candidate.logGroupName === task.logGroupName &&
    candidate.from === task.from &&
    candidate.to === task.to &&
    candidate.destination === task.destination &&
    candidate.destinationPrefix === task.destinationPrefix
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
