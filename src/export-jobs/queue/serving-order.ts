import { type Expression, type RawBuilder, sql } from 'kysely';

/**
 * Every tenth start of a target goes to the queue that was served the longest ago, whatever its
 * priority. Lower: a priority means little. Higher: low priorities hardly move behind a steady stream
 * of higher ones.
 */
export const priorityIgnoredEvery = 10;

/** What decides when the queue of a caller at a priority is served. Instants are epoch ms. */
export interface QueueStanding {
  priority: number;
  caller: string;
  /** The number of its latest start at the target; 0 before the first. */
  lastServed: number;
  /** Until this instant its slices start only when no other queue is ready. */
  asideUntil: number;
}

/** The start that a queue is chosen for: its instant, and its number at the target, from 1 on. */
export interface StartMoment {
  at: number;
  start: number;
}

/** The same as expressions of a statement. */
interface StartMomentInSql {
  at: Expression<number>;
  start: Expression<number>;
  /** The caller, to be sorted as in memory. */
  caller: RawBuilder<string>;
}

/** One key of the order: the same value in memory and in a statement over `lines`. */
interface OrderKey {
  direction: 'asc' | 'desc';
  inMemory: (queue: QueueStanding, moment: StartMoment) => number | string;
  inSql: (moment: StartMomentInSql) => RawBuilder<unknown>;
}

/**
 * The order in which the queues of a target are served: the first one that has a ready slice is next.
 * This list is the only definition of fairness. The dispatcher sorts by it in SQL and the forecast
 * sorts by it in memory.
 */
export const servingOrder: readonly OrderKey[] = [
  {
    direction: 'asc',
    inMemory: (queue, { at }) => Number(isAside(queue, at)),
    inSql: ({ at }) => sql`${sql.ref('asideUntil')} > ${at}`,
  },
  {
    direction: 'desc',
    inMemory: ({ priority }, { start }) => (isPriorityIgnored(start) ? 0 : priority),
    inSql: ({ start }) =>
      sql`case when ${start} % ${sql.lit(priorityIgnoredEvery)} = 0 then 0 else ${sql.ref('lines.priority')} end`,
  },
  {
    direction: 'asc',
    inMemory: ({ lastServed }) => lastServed,
    inSql: () => sql`${sql.ref('lastTurn')}`,
  },
  {
    direction: 'desc',
    inMemory: ({ priority }) => priority,
    inSql: () => sql`${sql.ref('lines.priority')}`,
  },
  {
    direction: 'asc',
    inMemory: ({ caller }) => caller,
    inSql: ({ caller }) => caller,
  },
];

/** Compares two queues by the serving order, for `sort`. */
export function compareQueues(moment: StartMoment) {
  return (one: QueueStanding, other: QueueStanding): number => {
    for (const { direction, inMemory } of servingOrder) {
      const a = inMemory(one, moment);
      const b = inMemory(other, moment);
      if (a !== b) return a < b === (direction === 'asc') ? -1 : 1;
    }
    return 0;
  };
}

/** Whether a queue lets all others go first. */
export function isAside({ asideUntil }: Pick<QueueStanding, 'asideUntil'>, at: number): boolean {
  return asideUntil > at;
}

/** Whether the priority does not count for a start, by its number. */
export function isPriorityIgnored(start: number): boolean {
  return start % priorityIgnoredEvery === 0;
}
