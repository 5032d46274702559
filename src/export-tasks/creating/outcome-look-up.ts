import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { CreateOutcome } from '#aws/create-outcome.ts';
import { withoutTrailingSlashes } from '#aws/destination-prefix.ts';
import type { AwsExportTask } from '#aws/export-task.ts';
import { setAsNewest } from '#caching/bounded-map.ts';
import { jobOfMarker } from '#targets/marker.ts';
import type { EffectiveTask } from './default-prefix.ts';

/** The clocks of a look-up, in milliseconds. */
export interface OutcomeLookUpOptions {
  /** Epoch time, for an answer of AWS without a `Date` header. */
  now: () => number;
  /** A clock that only goes forward. */
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
}

/** A task that exists, and the request id of the answer that shows it. */
export interface CreatedTask {
  taskId: string;
  awsRequestId: string | undefined;
}

/** A create whose outcome is unknown. `beganAt` is by `elapsed`. */
interface SentCreate {
  beganAt: number;
  caller: string;
}

/** The result of a look-up. */
export interface OutcomeLookUp {
  found?: CreatedTask | undefined;
  /** Whether every attempt read the whole list, and no task in it may be the created one. */
  isUnlisted: boolean;
  /** A task that may be the created one, but is not listed with all its values. */
  nearMiss?: AwsExportTask | undefined;
}

// The pauses before each read of the list. AWS shows a task as soon as the create has been answered. When
// the answer is lost, the request may still be in transit. Whether a list is as current as a read by id
// is not documented, so the last pauses allow some seconds. Shorter in total: a task that is listed late
// is missed. Longer: the caller waits in vain.
const pausesMs = [0, 500, 2_000, 5_000];
// For all reads together. Shorter: a slow list is not read to its end. Longer: the caller times out,
// and does not learn the outcome.
const maxLookUpMs = 12_000;
// The Date header of AWS has whole seconds, and the clocks of its hosts differ slightly.
const clockSlackMs = 2_000;
// Tasks that are remembered as reported. Fewer: a lost create may be matched with the task of another.
// More: each takes about 100 bytes for nothing, because a look-up ignores tasks older than its create.
const maxReported = 1_000;

/**
 * Makes the look-up of creates whose answer was lost. The created task has the same values, was created
 * after the call began, and was not reported to another caller. It counts as unlisted only if every
 * attempt read the whole list without a possible task of the log group: AWS may show a value in
 * another form, and a task without a creation time may be old or new.
 */
export function makeOutcomeLookUp({ now, elapsed, sleep }: OutcomeLookUpOptions) {
  const reported = new Map<string, true>();
  /** The creates whose answers are awaited, with what identifies their tasks in a list. */
  const underWay = new Map<Promise<unknown>, string>();

  /** Marks a task as reported to its caller, so that no other create is matched with it. */
  const markReported = (taskId: string) => setAsNewest(reported, taskId, true, maxReported);

  const isUnreported = ({ taskId }: AwsExportTask) => taskId === undefined || !reported.has(taskId);

  /** Follows a create until its result is there. No other create is matched with its task. */
  async function follow(
    result: Promise<CreateOutcome>,
    task: EffectiveTask,
  ): Promise<CreateOutcome> {
    const marked = result.then((known) => {
      if (known.outcome === 'accepted') markReported(known.taskId);
      return known;
    });
    underWay.set(marked, identityOf(task));
    return marked.finally(() => underWay.delete(marked));
  }

  /** Waits for the answers to equal creates. AWS can list a task before its own answer arrives. */
  async function awaitEqualCreates(task: EffectiveTask): Promise<void> {
    const identity = identityOf(task);
    const equal = [...underWay].filter(([, other]) => other === identity);
    await Promise.allSettled(equal.map(([result]) => result));
  }

  /** Reads the list until the task is found or the time is up. */
  async function lookUp(
    logs: CloudWatchLogs,
    task: EffectiveTask,
    create: SentCreate,
  ): Promise<OutcomeLookUp> {
    const deadline = elapsed() + maxLookUpMs;
    let isUnlisted = true;
    let nearMiss: AwsExportTask | undefined;
    for (const pauseMs of pausesMs) {
      if (elapsed() + pauseMs > deadline) return { isUnlisted: false, nearMiss };
      await sleep(pauseMs);
      const read = await readList(logs, task, { ...create, deadline }).catch(() => failed);
      if (read.found) return read;
      isUnlisted &&= read.isUnlisted;
      nearMiss = read.nearMiss ?? nearMiss;
    }
    return { isUnlisted, nearMiss };
  }

  async function readList(
    logs: CloudWatchLogs,
    task: EffectiveTask,
    { beganAt, caller, deadline }: SentCreate & { deadline: number },
  ): Promise<OutcomeLookUp> {
    let nearMiss: AwsExportTask | undefined;
    for (const query of [{ statusCode: 'RUNNING' }, { statusCode: 'PENDING' }, {}] as const) {
      const isNewestFirst = !('statusCode' in query); // with a filter, the order is not documented
      let nextToken: string | undefined;
      do {
        if (elapsed() > deadline) return { isUnlisted: false, nearMiss };
        const page = await logs.describeExportTasks(
          { ...query, limit: 50, ...(nextToken !== undefined && { nextToken }) },
          { isFresh: true, caller, lane: 'write' },
        );
        // The start of the call by the clock of AWS, because ours may be wrong.
        const beganAtByAws = (page.answeredAt ?? now()) - (elapsed() - beganAt) - clockSlackMs;
        const candidates = page.exportTasks.filter(
          ({ taskName, logGroupName = task.logGroupName, executionInfo }) =>
            logGroupName === task.logGroupName &&
            (taskName === task.taskName || jobOfMarker(taskName) === undefined) &&
            (executionInfo?.creationTime ?? beganAtByAws) >= beganAtByAws,
        );
        if (candidates.some((candidate) => isSameTask(candidate, task)))
          await awaitEqualCreates(task);
        const unreported = candidates.filter(isUnreported);
        const created = unreported.find((candidate) => isSameTask(candidate, task));
        if (created?.taskId !== undefined) {
          markReported(created.taskId); // at once: another look-up may run at the same time
          const found = { taskId: created.taskId, awsRequestId: page.awsRequestId };
          return { found, isUnlisted: false };
        }
        nearMiss ??= unreported[0];
        const isPast = isNewestFirst && endsBefore(page.exportTasks, beganAtByAws);
        nextToken = isPast ? undefined : page.nextToken;
      } while (nextToken !== undefined);
    }
    return { isUnlisted: nearMiss === undefined, nearMiss };
  }

  return { lookUp, follow };
}

/** A failed read says nothing about the task. */
const failed: OutcomeLookUp = { isUnlisted: false };

/** Whether tasks are ordered newest first, all with a creation time, and reach back before `time`. */
function endsBefore(tasks: readonly AwsExportTask[], time: number): boolean {
  const times = tasks.map(({ executionInfo }) => executionInfo?.creationTime);
  const isInOrder = times.every(
    (at, index) => at !== undefined && at <= (times[index - 1] ?? Number.POSITIVE_INFINITY),
  );
  return isInOrder && (times.at(-1) ?? time) < time;
}

function isSameTask(candidate: AwsExportTask, task: EffectiveTask): boolean {
  return (
    candidate.executionInfo?.creationTime !== undefined &&
    candidate.destinationPrefix !== undefined &&
    identityOf(candidate) === identityOf(task)
  );
}

/** What identifies a task in a list of AWS. It cannot have `logStreamNamePrefix`, which AWS never shows. */
const identityOf = (task: AwsExportTask | EffectiveTask): string =>
  JSON.stringify([
    task.taskName,
    task.logGroupName,
    String(task.from),
    String(task.to),
    task.destination,
    withoutTrailingSlashes(task.destinationPrefix ?? ''),
  ]);
