/**
 * Every tenth start of a target ignores the priority, if slices of several priorities are ready. Lower: a
 * priority means little. Higher: low priorities hardly move behind a steady stream of higher ones.
 */
export const priorityIgnoredEvery = 10;

/** What decides when the queue of a caller at a priority is served. Instants are epoch ms. */
export interface QueueStanding {
  priority: number;
  caller: string;
  /** The number of its latest start at the target; 0 before the first. */
  lastServed: number;
  /** The number of the latest start at the target that ignored the priority for its caller; 0 before the first. */
  lastTenth: number;
  /** Until this instant its slices start only when no other queue is ready. */
  asideUntil: number;
}

/** The start that a queue is chosen for: its instant, and its number at the target, from 1 on. */
export interface StartMoment {
  at: number;
  start: number;
}

/**
 * Compares two of the queues that have ready slices, for `sort`: the first queue is served next. This is the only
 * definition of fairness, for the dispatcher and for the forecast.
 */
export function compareQueues(ready: readonly QueueStanding[], { at, start }: StartMoment) {
  const isIgnored = isPriorityIgnored(ready, start);
  return (one: QueueStanding, other: QueueStanding): number =>
    Number(isAside(one, at)) - Number(isAside(other, at)) ||
    (isIgnored ? lastTurnOf(one) - lastTurnOf(other) : other.priority - one.priority) ||
    one.lastServed - other.lastServed ||
    other.priority - one.priority ||
    (one.caller < other.caller ? -1 : Number(one.caller > other.caller));
}

/**
 * The start that counts for one that ignores the priority. Such a start counts for all queues of its caller. Otherwise
 * a caller with queues at many priorities gets nearly all of these starts.
 */
function lastTurnOf({ lastServed, lastTenth }: QueueStanding): number {
  return Math.max(lastServed, lastTenth);
}

/** Whether a queue lets all others go first. */
export function isAside({ asideUntil }: Pick<QueueStanding, 'asideUntil'>, at: number): boolean {
  return asideUntil > at;
}

/** Whether the priority does not count for a start, by its number and by the queues that have ready slices. */
export function isPriorityIgnored(
  ready: readonly Pick<QueueStanding, 'priority'>[],
  start: number,
): boolean {
  return (
    start % priorityIgnoredEvery === 0 &&
    ready.some(({ priority }) => priority !== ready[0]?.priority)
  );
}
