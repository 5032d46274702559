import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import type { CallerQueueName, JobVisibility } from './job-visibility.ts';
import { jobOfMarker } from './marker.ts';
import type { Slot, TargetQueue } from './slot.ts';
import type { SlotStatus } from './slot-reader.ts';
import type { Target } from './target.ts';

/** By what it is decided who may know. */
export interface RedactionOptions {
  authorizer: Authorizer;
  /** Absent where there are no export jobs. */
  visibility: JobVisibility | undefined;
}

/**
 * What a caller may see of a target's slot: that it is held and since when is everybody's business
 * who waits for it; by whom and of what is for those who may see that task, or that very job. So are
 * the callers in the queue: each is named to who may read all of its jobs there.
 */
export async function redactSlotStatus(
  { authorizer, visibility }: RedactionOptions,
  request: CallerRequest,
  target: Target,
  { slot, holder, queue, busyShareLastHour }: SlotStatus,
): Promise<Omit<SlotStatus, 'holder'>> {
  const rest = { ...(busyShareLastHour !== undefined && { busyShareLastHour }) };
  if (authorizer.isOpen) return { slot, ...(queue && { queue }), ...rest };
  return {
    slot: await maskSlot(),
    ...(queue && { queue: redactQueue(queue, request.principal.id, await findReadableQueues()) }),
    ...rest,
  };

  async function maskSlot(): Promise<Slot> {
    const { state, since, seenAt } = slot;
    const held = { state, ...(since !== undefined && { since }), seenAt };
    if (state === 'free') return slot;
    if (state === 'foreign' && !mayDescribe()) return held;
    // A task with a marker names its job, whoever's it is.
    const jobId = slot.jobId ?? jobOfMarker(slot.taskName);
    if (jobId === undefined || !(await isHidden(jobId))) return slot;
    const { taskName: _name, ...unnamed } = slot;
    return state === 'ours' ? held : unnamed;
  }

  function mayDescribe(): boolean {
    const { logGroupName = '', destination, destinationPrefix } = holder;
    return authorizer.decide(request, {
      action: 'DescribeExportTasks',
      resource: { target, logGroupName },
      context: { destination, destinationPrefix },
    }).isPermitted;
  }

  async function isHidden(jobId: string): Promise<boolean> {
    return (await visibility?.findHiddenJobs(request, [jobId]))?.has(jobId) ?? false;
  }

  async function findReadableQueues(): Promise<readonly CallerQueueName[]> {
    const isAlone = queue?.callers.every(({ caller }) => caller === request.principal.id);
    return isAlone ? [] : ((await visibility?.findReadableQueues(request, target.name)) ?? []);
  }
}

/** The queue without the names of those that may not be known: those of a priority are one entry. */
function redactQueue(
  { callers, ...totals }: TargetQueue,
  id: string,
  readable: readonly CallerQueueName[],
): TargetQueue {
  const isNamed = (queue: TargetQueue['callers'][number]) =>
    queue.caller === id ||
    readable.some((name) => name.caller === queue.caller && name.priority === queue.priority);
  const others = new Map<number, { priority: number; waiting: number; ready: number }>();
  for (const queue of callers) {
    if (isNamed(queue)) continue;
    const { priority, waiting, ready } = queue;
    const sum = others.get(priority) ?? { priority, waiting: 0, ready: 0 };
    sum.waiting += waiting;
    sum.ready += ready;
    others.set(priority, sum);
  }
  const all: TargetQueue['callers'] = [...callers.filter(isNamed), ...others.values()];
  return { ...totals, callers: all.sort((one, other) => other.priority - one.priority) };
}
