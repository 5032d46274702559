import type { Asker, Authorizer, Question } from '#auth/authorization/authorizer.ts';
import type { SlotHolder, SlotLine } from './slot.ts';
import type { SlotStatus } from './slot-reader.ts';
import type { Target } from './target.ts';

/**
 * What a caller may see of a target's slot: that it is held and since when is everybody's business
 * who waits for it; by whom and of what is for those who may see that task or job.
 */
export function whatMaySee(
  authorizer: Authorizer,
  asker: Asker,
  target: Target,
  { slot, holder, line, busyShareLastHour }: SlotStatus,
): Omit<SlotStatus, 'holder'> {
  const may = (question: Question) => authorizer.decide(asker, question).isPermitted;
  const isTold = slot.state === 'free' || may(aboutHolder(asker, target, holder));
  const { state, since, seenAt } = slot;
  return {
    slot: isTold ? slot : { state, ...(since !== undefined && { since }), seenAt },
    ...(line && { line: may(aboutEverybody(target)) ? line : ofOne(line, asker.principal.id) }),
    ...(busyShareLastHour !== undefined && { busyShareLastHour }),
  };
}

function aboutHolder(asker: Asker, target: Target, holder: SlotHolder): Question {
  const { caller, logGroupName = '', destination, destinationPrefix } = holder;
  const resource = { target, logGroupName };
  if (caller === undefined) {
    return { action: 'DescribeExportTasks', resource, context: { destination, destinationPrefix } };
  }
  const isOwn = caller === asker.principal.id;
  // A job takes a yes for each of its log groups. Who may read any is told here, nobody else.
  if (!isOwn && holder.hasMoreLogGroups) return aboutEverybody(target);
  const context = { isOwn, destination, destinationPrefix };
  return { action: 'ReadExportJob', resource, context };
}

/** Who may read jobs whatever their log group may know who waits. */
function aboutEverybody(target: Target): Question {
  const context = { isOwn: false, destination: '', destinationPrefix: '' };
  return { action: 'ReadExportJob', resource: { target, logGroupName: '' }, context };
}

/** The line without the names of others: those of a priority are one entry. */
function ofOne({ callers, ...totals }: SlotLine, id: string): SlotLine {
  const own = callers.filter(({ caller }) => caller === id);
  const others = new Map<number, { priority: number; waiting: number; ready: number }>();
  for (const { caller, priority, waiting, ready } of callers) {
    if (caller === id) continue;
    const sum = others.get(priority) ?? { priority, waiting: 0, ready: 0 };
    sum.waiting += waiting;
    sum.ready += ready;
    others.set(priority, sum);
  }
  const all: SlotLine['callers'] = [...own, ...others.values()];
  return { ...totals, callers: all.sort((one, other) => other.priority - one.priority) };
}
