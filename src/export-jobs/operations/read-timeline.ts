import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import { shareAnswers } from '#caching/shared-answers.ts';
import type { Database } from '#database/database.ts';
import type { JobVisibility } from '#targets/slot/job-visibility.ts';
import { toDescribeQuestion } from '#targets/slot/redact-slot-status.ts';
import { identityOf, type KnownTarget } from '#targets/target.ts';
import { hourMs } from '#time/durations.ts';
import { readClock } from '../queue/read-queue.ts';
import {
  readForeignTasks,
  readRuns,
  readWaitingSince,
  type SlotRun,
} from '../queue/slot/read-day.ts';
import { toSlotHolder } from '../queue/slot/read-slot.ts';

/** A stretch of time. Instants are epoch ms by the clock of the database. */
export interface Interval {
  from: number;
  to: number;
}

/** A run of an export task of ours. */
interface TimelineRun extends Interval {
  state: 'running' | 'completed' | 'failed' | 'cancelled';
}

/** A foreign task; what it exports only if the caller may see it. */
interface TimelineForeignTask extends Interval {
  taskId?: string;
  logGroupName?: string | undefined;
}

/** What happened in the slot of a target in the last hours, as a caller may see it. */
export interface Timeline extends Interval {
  /** The runs of each caller. Those of jobs that may not be shown have no caller. */
  callers: { caller: string | undefined; runs: TimelineRun[] }[];
  foreignTasks: TimelineForeignTask[];
  /** When a slice waited that could start. */
  waits: Interval[];
}

/** Reads the timeline of a target that the caller may see. */
export type ReadTimeline = (
  request: CallerRequest,
  target: KnownTarget,
  hours?: TimelineHours,
) => Promise<Timeline>;

/** How many hours a timeline can have. The default is the last one. */
export const timelineHours = [1, 6, 24] as const;
export type TimelineHours = (typeof timelineHours)[number];

// All callers share one reading. Shorter: each reload of a page costs a query over a day. Longer: it feels stale.
const freshForMs = 5_000;
// Each takes one decision for each of its log groups. Fewer: runs that may be shown have no caller. More: slow answers.
const maxJobs = 200;

/** Makes `ReadTimeline`. */
export function makeReadTimeline(options: {
  database: Database;
  authorizer: Authorizer;
  visibility: JobVisibility;
  elapsed: () => number;
}): ReadTimeline {
  const { database, authorizer, visibility, elapsed } = options;
  const { queries } = database;
  const dayOf = shareAnswers(readDay, { freshForMs, elapsed });

  async function readDay(target: string) {
    const to = await readClock(database);
    const from = to - 24 * hourMs;
    return {
      to,
      runs: await readRuns(queries, target, from),
      foreignTasks: await readForeignTasks(queries, target, from),
      waitingSince: await readWaitingSince(queries, target, to),
    };
  }

  async function findShownJobs(request: CallerRequest, runs: readonly SlotRun[]) {
    const jobIds = [...new Set(runs.map(({ jobId }) => jobId))];
    if (authorizer.isOpen) return new Set(jobIds);
    const decided = jobIds.slice(0, maxJobs);
    const hidden = await visibility.findHiddenJobs(request, decided);
    return new Set(decided.filter((jobId) => !hidden.has(jobId)));
  }

  return async (request, target, hours = 24) => {
    const { to, runs, foreignTasks, waitingSince } = await dayOf(target.name);
    const from = to - hours * hourMs;
    const shownJobs = await findShownJobs(request, runs);
    const byCaller = Map.groupBy(runs, ({ jobId, caller }) =>
      shownJobs.has(jobId) ? caller : undefined,
    );
    const shownTasks = new Set(
      authorizer.filterPermitted(request, foreignTasks, (task) =>
        toDescribeQuestion(identityOf(target), toSlotHolder(task)),
      ),
    );
    const waits = runs.flatMap((run) =>
      run.readyAt !== null && run.readyAt < run.from ? [{ from: run.readyAt, to: run.from }] : [],
    );
    if (waitingSince !== undefined) waits.push({ from: waitingSince, to });
    const within = cutTo({ from, to });
    return {
      from,
      to,
      callers: [...byCaller]
        .map(([caller, theirs]) => ({
          caller,
          runs: theirs
            .map((run) => ({ from: run.from, to: run.to ?? to, state: stateOf(run) }))
            .flatMap(within),
        }))
        .filter((lane) => lane.runs.length > 0)
        .sort(byName),
      foreignTasks: foreignTasks
        .map((task) => ({
          from: task.beganAt,
          to: task.seenUntil,
          ...(shownTasks.has(task) && {
            taskId: task.taskId,
            logGroupName: task.logGroupName ?? undefined,
          }),
        }))
        .flatMap(within),
      waits: union(waits).flatMap(within),
    };
  };
}

function stateOf({ to, outcome }: SlotRun): TimelineRun['state'] {
  if (to === null || outcome === null) return 'running';
  return outcome === 'completed' || outcome === 'cancelled' ? outcome : 'failed';
}

/** The callers by name, and last those that may not be shown. */
function byName(
  one: { caller: string | undefined },
  other: { caller: string | undefined },
): number {
  if (one.caller === undefined) return 1;
  if (other.caller === undefined) return -1;
  return one.caller < other.caller ? -1 : 1;
}

/** Makes the function that cuts an interval to a time, and omits it if nothing of it is left. */
function cutTo(time: Interval) {
  return <Kind extends Interval>(interval: Kind): Kind[] => {
    const from = Math.max(interval.from, time.from);
    const to = Math.min(interval.to, time.to);
    return from < to ? [{ ...interval, from, to }] : [];
  };
}

/** Joins the intervals that overlap, the earliest first. */
function union(intervals: readonly Interval[]): Interval[] {
  const joined: Interval[] = [];
  for (const { from, to } of intervals.toSorted((one, other) => one.from - other.from)) {
    const last = joined.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}
