import type { Asker, Authorizer } from '#auth/authorization/authorizer.ts';
import type { JobSight, LineName } from './job-visibility.ts';
import { jobOfMarker } from './marker.ts';
import type { Slot, SlotLine } from './slot.ts';
import type { SlotStatus } from './slot-reader.ts';
import type { Target } from './target.ts';

/** By what it is decided who may know. */
export interface SightOptions {
  authorizer: Authorizer;
  /** Absent where there are no export jobs. */
  sight: JobSight | undefined;
}

/**
 * What a caller may see of a target's slot: that it is held and since when is everybody's business
 * who waits for it; by whom and of what is for those who may see that task, or that very job. So are
 * the callers in the line: each is named to who may read all of its jobs there.
 */
export async function whatMaySee(
  { authorizer, sight }: SightOptions,
  asker: Asker,
  target: Target,
  { slot, holder, line, busyShareLastHour }: SlotStatus,
): Promise<Omit<SlotStatus, 'holder'>> {
  const rest = { ...(busyShareLastHour !== undefined && { busyShareLastHour }) };
  if (authorizer.isOpen) return { slot, ...(line && { line }), ...rest };
  return {
    slot: await maskSlot(),
    ...(line && { line: maskLine(line, asker.principal.id, await readableLines()) }),
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
    return authorizer.decide(asker, {
      action: 'DescribeExportTasks',
      resource: { target, logGroupName },
      context: { destination, destinationPrefix },
    }).isPermitted;
  }

  async function isHidden(jobId: string): Promise<boolean> {
    return (await sight?.hiddenOf(asker, [jobId]))?.has(jobId) ?? false;
  }

  async function readableLines(): Promise<readonly LineName[]> {
    const isAlone = line?.callers.every(({ caller }) => caller === asker.principal.id);
    return isAlone ? [] : ((await sight?.readableLines(asker, target.name)) ?? []);
  }
}

/** The line without the names of those that may not be known: those of a priority are one entry. */
function maskLine(
  { callers, ...totals }: SlotLine,
  id: string,
  readable: readonly LineName[],
): SlotLine {
  const isNamed = (line: SlotLine['callers'][number]) =>
    line.caller === id ||
    readable.some((name) => name.caller === line.caller && name.priority === line.priority);
  const others = new Map<number, { priority: number; waiting: number; ready: number }>();
  for (const line of callers) {
    if (isNamed(line)) continue;
    const { priority, waiting, ready } = line;
    const sum = others.get(priority) ?? { priority, waiting: 0, ready: 0 };
    sum.waiting += waiting;
    sum.ready += ready;
    others.set(priority, sum);
  }
  const all: SlotLine['callers'] = [...callers.filter(isNamed), ...others.values()];
  return { ...totals, callers: all.sort((one, other) => other.priority - one.priority) };
}
