import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { type CreateExportTask, type ExportTask, isActive } from '#aws/export-task.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import { bucketPolicyFor } from './bucket-policy.ts';

/** What creating needs of its surroundings: clocks in milliseconds, and sleep. */
export interface CreateOnceOptions {
  /** Epoch time; only asked where AWS does not tell its own. */
  now: () => number;
  /** A clock that only goes forward. */
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
}

export interface CreatedTask {
  taskId: string;
  awsRequestId: string | undefined;
}

// Pauses before each look at AWS's list. AWS shows a task as soon as create has answered; when the
// answer was lost, the request itself may still be under way for a moment.
const pausesBeforeLooksMs = [0, 500, 2_000];
// All looks together. Longer, and the caller's own timeout makes the outcome unknown to it again.
const lookForMs = 8_000;
// AWS's Date header is cut to the second, and its hosts' clocks differ a little.
const clockSlackMs = 2_000;

/**
 * Creates an export task with exactly one CreateExportTask, whatever happens to the answer. When
 * the outcome is unknown, AWS's own list decides: the task with every value equal to ours, created
 * after we began, that nobody else has been told about.
 */
export function makeCreateOnce({ now, elapsed, sleep }: CreateOnceOptions) {
  const told = makeRecentIds();

  return async function createOnce(
    target: OpenTarget,
    task: CreateExportTask,
  ): Promise<CreatedTask> {
    const beganAt = elapsed();
    const result = await target.logs.createExportTask(task);
    switch (result.outcome) {
      case 'accepted':
        told.add(result.taskId);
        return result;
      case 'not-sent':
        throw result.problem;
      case 'refused':
        throw await withWhatHelps(result.problem, target, task);
      case 'unknown': {
        const { cause, answer } = result;
        const { found, isCertain } = await lookFor(target.logs, task, beganAt);
        if (found) {
          told.add(found.taskId);
          return found;
        }
        // AWS did answer, so nothing is under way any more, and it lists no such task.
        if (answer && isCertain) throw asNotCreated(answer);
        throw new Problem('outcome-unknown', unknownDetail(isCertain), {
          cause,
          ...(answer?.members.awsErrorCode && { awsErrorCode: answer.members.awsErrorCode }),
        });
      }
    }
  };

  async function lookFor(
    logs: CloudWatchLogs,
    task: CreateExportTask,
    beganAt: number,
  ): Promise<{ found?: CreatedTask; isCertain: boolean }> {
    const lookUntil = elapsed() + lookForMs;
    let isCertain = true;
    for (const pauseMs of pausesBeforeLooksMs) {
      if (elapsed() + pauseMs > lookUntil) return { isCertain: false };
      await sleep(pauseMs);
      try {
        const found = await lookOnce(logs, task, beganAt);
        if (found) return { found, isCertain };
      } catch {
        isCertain = false; // an unanswered look is not an absent task
      }
    }
    return { isCertain };
  }

  async function lookOnce(
    logs: CloudWatchLogs,
    task: CreateExportTask,
    beganAt: number,
  ): Promise<CreatedTask | undefined> {
    for (const query of [{ statusCode: 'RUNNING' }, { statusCode: 'PENDING' }, {}] as const) {
      let nextToken: string | undefined;
      do {
        const page = await logs.describeExportTasks(
          { ...query, limit: 50, ...(nextToken !== undefined && { nextToken }) },
          { isFresh: true },
        );
        // Our beginning on AWS's own clock: ours may be off by any amount.
        const beganThereAt = (page.answeredAt ?? now()) - (elapsed() - beganAt) - clockSlackMs;
        const isOurs = (candidate: ExportTask): candidate is ExportTask & { taskId: string } =>
          candidate.taskId !== undefined &&
          !told.has(candidate.taskId) &&
          createdAt(candidate) >= beganThereAt &&
          hasValuesOf(candidate, task);
        const found = page.exportTasks.find(isOurs);
        if (found) return { taskId: found.taskId, awsRequestId: page.awsRequestId };
        const isOlder = page.exportTasks.some((candidate) => createdAt(candidate) < beganThereAt);
        nextToken = isOlder ? undefined : page.nextToken;
      } while (nextToken !== undefined);
    }
    return undefined;
  }
}

function createdAt(task: ExportTask): number {
  return task.executionInfo?.creationTime ?? Number.POSITIVE_INFINITY;
}

// logStreamNamePrefix cannot be compared: AWS never shows it.
function hasValuesOf(candidate: ExportTask, task: CreateExportTask): boolean {
  return (
    candidate.taskName === task.taskName &&
    candidate.logGroupName === task.logGroupName &&
    candidate.from === task.from &&
    candidate.to === task.to &&
    candidate.destination === task.destination &&
    candidate.destinationPrefix === (task.destinationPrefix || 'exportedlogs')
  );
}

/** The same refusal, with what its caller needs to go on. */
async function withWhatHelps(
  refusal: Problem,
  target: OpenTarget,
  task: CreateExportTask,
): Promise<Problem> {
  switch (refusal.slug) {
    case 'export-slot-taken':
      return withSlotHolder(target.logs, refusal);
    case 'destination-not-writable':
      return new Problem(refusal.slug, refusal.detail, {
        ...refusal.members,
        bucketPolicy: bucketPolicyFor({ ...target, bucket: task.destination }),
      });
    default:
      return refusal;
  }
}

/** The same refusal, with the task that holds the slot, where AWS's list shows it. */
async function withSlotHolder(logs: CloudWatchLogs, refusal: Problem): Promise<Problem> {
  const holder = (await findActive(logs, false)) ?? (await findActive(logs, true));
  if (holder?.taskId === undefined) return refusal;
  const { taskId, taskName, logGroupName, status, executionInfo } = holder;
  const since =
    executionInfo?.creationTime === undefined
      ? undefined
      : new Date(executionInfo.creationTime).toISOString();
  const detail = `Export task ${taskId}${logGroupName ? ` of log group ${logGroupName}` : ''} holds the slot${since ? ` since ${since}` : ''}.`;
  return new Problem('export-slot-taken', detail, {
    ...refusal.members,
    slotHolder: {
      taskId,
      status: status?.code ?? 'RUNNING',
      ...(taskName !== undefined && { taskName }),
      ...(logGroupName !== undefined && { logGroupName }),
      ...(since !== undefined && { since }),
    },
  });
}

// There is one slot, so the active task is among the newest; a failed look leaves it unnamed.
async function findActive(logs: CloudWatchLogs, isFresh: boolean): Promise<ExportTask | undefined> {
  const page = await logs.describeExportTasks({ limit: 50 }, { isFresh }).catch(() => undefined);
  return page?.exportTasks.find(isActive);
}

function asNotCreated(answer: Problem): Problem {
  return new Problem(
    answer.slug,
    `${answer.detail} AWS lists no such task: none was created.`,
    answer.members,
  );
}

function unknownDetail(isCertain: boolean): string {
  return isCertain
    ? 'CreateExportTask was sent and its answer was lost. AWS lists no such task yet; the request may still take effect.'
    : 'CreateExportTask was sent, its answer was lost, and AWS could not be asked which tasks there are.';
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
