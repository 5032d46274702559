import type {
  Authorizer,
  CallerRequest,
  Question,
  TargetIdentity,
} from '#auth/authorization/authorizer.ts';
import { jobOfMarker } from '../marker.ts';
import type { CallerQueueName, JobVisibility } from './job-visibility.ts';
import type { Slot, SlotHolder, TargetQueue } from './slot.ts';
import type { SlotStatus } from './slot-reader.ts';

/** A slot status without what a caller may not see. */
export type RedactedSlotStatus = Omit<SlotStatus, 'holder'>;

/** The sources of authorization. */
export interface RedactionOptions {
  authorizer: Authorizer;
  /** Absent when jobs are off. */
  visibility: JobVisibility | undefined;
}

/**
 * Removes from a slot status what the caller may not see. Every caller sees that the slot is held, and
 * since when. The holder is shown to callers who may see its task or job. A caller in the queue is shown
 * to those who may read all of its jobs there. Why no slice starts is about the target, so everybody sees it.
 */
export async function redactSlotStatus(
  { authorizer, visibility }: RedactionOptions,
  request: CallerRequest,
  target: TargetIdentity,
  { slot, holder, queue, busyShareLastHour, startProblem }: SlotStatus,
): Promise<RedactedSlotStatus> {
  const rest = {
    ...(busyShareLastHour !== undefined && { busyShareLastHour }),
    ...(startProblem && { startProblem }),
  };
  if (authorizer.isOpen) return { ...(slot && { slot }), ...(queue && { queue }), ...rest };
  return {
    ...(slot && { slot: await redactSlot(slot) }),
    ...(queue && { queue: redactQueue(queue, request.principal.id, await findReadableQueues()) }),
    ...rest,
  };

  async function redactSlot(slot: Slot): Promise<Slot> {
    const { state, since, seenAt } = slot;
    const held = { state, ...(since !== undefined && { since }), seenAt };
    if (state === 'free') return slot;
    if (state === 'foreign' && !mayDescribe()) return held;
    // A marker contains the job id, even in a foreign task.
    const jobId = slot.jobId ?? jobOfMarker(slot.taskName);
    if (jobId === undefined || !(await isHidden(jobId))) return slot;
    const { taskName: _name, ...unnamed } = slot;
    return state === 'ours' ? held : unnamed;
  }

  function mayDescribe(): boolean {
    return authorizer.decide(request, toDescribeQuestion(target, holder)).isPermitted;
  }

  async function isHidden(jobId: string): Promise<boolean> {
    return (await visibility?.findHiddenJobs(request, [jobId]))?.has(jobId) ?? false;
  }

  async function findReadableQueues(): Promise<readonly CallerQueueName[]> {
    const isAlone = queue?.callers.every(({ caller }) => caller === request.principal.id);
    return isAlone ? [] : ((await visibility?.findReadableQueues(request, target.name)) ?? []);
  }
}

/**
 * Makes the question whether a caller may see a foreign task. A task that an older replica recorded has no
 * destination: it may be any.
 */
export function toDescribeQuestion(target: TargetIdentity, task: SlotHolder): Question {
  const { accountId = target.accountId, region = target.region } = task;
  const { logGroupName = '', destination, destinationPrefix } = task;
  return {
    action: 'DescribeExportTasks',
    resource: { target: { name: target.name, accountId, region }, logGroupName },
    context: { destination, destinationPrefix },
    ...(destination === undefined && { isForEveryContext: true }),
  };
}

/** Removes the callers that may not be shown. Those of one priority become one entry. */
function redactQueue(
  { callers, ...totals }: TargetQueue,
  ownCaller: string,
  readable: readonly CallerQueueName[],
): TargetQueue {
  const isShown = (queue: TargetQueue['callers'][number]) =>
    queue.caller === ownCaller ||
    readable.some((name) => name.caller === queue.caller && name.priority === queue.priority);
  const others = new Map<number, { priority: number; waiting: number; ready: number }>();
  for (const queue of callers) {
    if (isShown(queue)) continue;
    const { priority, waiting, ready } = queue;
    const sum = others.get(priority) ?? { priority, waiting: 0, ready: 0 };
    sum.waiting += waiting;
    sum.ready += ready;
    others.set(priority, sum);
  }
  const all: TargetQueue['callers'] = [...callers.filter(isShown), ...others.values()];
  return { ...totals, callers: all.sort((one, other) => other.priority - one.priority) };
}
