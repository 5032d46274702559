import { backOffMs } from '#time/back-off.ts';
import type { AbortableSleep } from '#time/sleep.ts';

// Checks in flight, in each Region. Each is one or two calls to STS. Fewer: a thousand accounts take
// minutes, and a few that hang keep the others waiting. More: a start takes CPU and sockets from requests,
// and STS throttles us.
const placesPerRegion = 10;
// Of these, for targets that failed before. More: broken accounts that hang keep new ones waiting.
const placesForRetries = 3;
// The places of a Region begin within this time. Shorter: all replicas of a deployment call at once.
const spreadMs = 200;
// Pauses before an account is checked again. A longer last one: a repaired role stays unnoticed. A
// shorter one: hundreds of broken roles cost many calls. STS has decided about a refused role, so that its
// first pause is the longest.
const pauses = { firstMs: 1_000, maxMs: 60_000 };

/** How a check ended: `done`, without an answer of STS, or with its refusal. */
export type CheckResult = 'done' | 'unanswered' | 'refused';

/** What the schedule needs. */
export interface CheckScheduleOptions {
  /** Checks a target. Unless it is done, it is checked again after a pause. Never throws. */
  check: (name: string) => Promise<CheckResult>;
  elapsed: () => number;
  random: () => number;
  /** No check begins before. */
  beginWhen: Promise<void>;
  sleep: AbortableSleep;
  stop: AbortSignal;
}

/** Decides which targets are checked when: a few at a time in each Region, those asked for first. */
export interface CheckSchedule {
  /** Checks a target as soon as a place is free. If its check is in flight, it is checked once more. */
  add(name: string, region: string): void;
  /** Checks a target before those that nobody has asked for. No effect after a failed check. */
  hurry(name: string): void;
  remove(name: string): void;
  /** Ends all pauses. */
  endPauses(): void;
}

/** A target that is to be checked. */
interface Task {
  name: string;
  region: Region;
  queue: 'asked' | 'first' | 'retry' | 'pause' | 'none';
  failures: number;
  /** When its pause ends, by `elapsed`. */
  dueAt: number;
}

/** The targets of a Region whose check is due. */
interface Region {
  asked: Set<Task>;
  first: Set<Task>;
  retry: Set<Task>;
  inFlight: number;
  retriesInFlight: number;
  /** The places that have begun. */
  places: number;
}

/** Makes a schedule. Targets that are checked, and will not be again, take no memory in it. */
export function makeCheckSchedule(options: CheckScheduleOptions): CheckSchedule {
  const { check, elapsed, random, beginWhen, sleep, stop } = options;
  const tasks = new Map<string, Task>();
  const regions = new Map<string, Region>();
  const pausing = new Set<Task>();
  let alarm = { dueAt: Number.POSITIVE_INFINITY, wake: new AbortController() };
  let isPausing = false;
  let hasBegun = false;
  void beginWhen.then(() => {
    hasBegun = true;
    for (const region of regions.values()) fill(region);
  });

  function regionOf(name: string): Region {
    const known = regions.get(name) ?? {
      asked: new Set(),
      first: new Set(),
      retry: new Set(),
      inFlight: 0,
      retriesInFlight: 0,
      places: 1,
    };
    regions.set(name, known);
    return known;
  }

  function moveTo(task: Task, queue: Task['queue']): void {
    pausing.delete(task);
    for (const each of ['asked', 'first', 'retry'] as const) task.region[each].delete(task);
    task.queue = queue;
    if (queue === 'pause') pausing.add(task);
    else if (queue !== 'none') task.region[queue].add(task);
  }

  function fill(region: Region): void {
    if (stop.aborted || !hasBegun) return;
    while (region.inFlight < region.places) {
      const canRetry = region.retriesInFlight < placesForRetries;
      const [next] = [region.asked, region.first, ...(canRetry ? [region.retry] : [])].find(
        ({ size }) => size > 0,
      ) ?? [undefined];
      if (!next) return;
      void run(next);
    }
    let waiting = region.asked.size + region.first.size + region.retry.size;
    for (; waiting > 0 && region.places < placesPerRegion; waiting -= 1) void addPlace(region);
  }

  /** Adds a place after a random pause. */
  async function addPlace(region: Region): Promise<void> {
    region.places += 1;
    region.inFlight += 1; // the place is taken until its pause ends
    await sleep(Math.round(random() * spreadMs), stop);
    region.inFlight -= 1;
    fill(region);
  }

  async function run(task: Task): Promise<void> {
    const { region } = task;
    const isRetry = task.failures > 0;
    moveTo(task, 'none');
    region.inFlight += 1;
    region.retriesInFlight += isRetry ? 1 : 0;
    const result = await check(task.name);
    region.inFlight -= 1;
    region.retriesInFlight -= isRetry ? 1 : 0;
    if (tasks.get(task.name) === task && task.queue === 'none') {
      if (result === 'done') tasks.delete(task.name);
      else pause(task, result);
    }
    fill(region);
  }

  function pause(task: Task, result: CheckResult): void {
    // From three quarters of the pause to all of it: targets that broke together are not retried together.
    const fullMs = result === 'refused' ? pauses.maxMs : backOffMs(task.failures, pauses);
    const ms = Math.round(fullMs * (0.75 + random() / 4));
    task.failures += 1;
    task.dueAt = elapsed() + ms;
    moveTo(task, 'pause');
    if (task.dueAt < alarm.dueAt) alarm.wake.abort();
    if (!isPausing) void endPausesInTime();
  }

  /** One timer for the pauses of all targets. */
  async function endPausesInTime(): Promise<void> {
    isPausing = true;
    while (pausing.size > 0 && !stop.aborted) {
      const dueAt = pausing.values().reduce(earliest, Number.POSITIVE_INFINITY);
      const wake = new AbortController();
      alarm = { dueAt, wake };
      await sleep(Math.max(0, dueAt - elapsed()), AbortSignal.any([wake.signal, stop]));
      if (!wake.signal.aborted) endPausesUntil(Math.max(dueAt, elapsed()));
    }
    isPausing = false;
  }

  function endPausesUntil(until: number): void {
    const due = [...pausing].filter(({ dueAt }) => dueAt <= until);
    for (const task of due) moveTo(task, 'retry');
    for (const region of new Set(due.map((task) => task.region))) fill(region);
  }

  return {
    add(name, regionName) {
      const known = tasks.get(name);
      const region = regionOf(regionName);
      const task: Task = {
        name,
        region,
        queue: 'none',
        failures: 0,
        dueAt: 0,
      };
      if (known) moveTo(known, 'none');
      tasks.set(name, task);
      moveTo(task, 'first');
      fill(region);
    },
    hurry(name) {
      const task = tasks.get(name);
      if (task?.queue === 'first') moveTo(task, 'asked');
    },
    remove(name) {
      const task = tasks.get(name);
      if (task) moveTo(task, 'none');
      tasks.delete(name);
    },
    endPauses: () => endPausesUntil(Number.POSITIVE_INFINITY),
  };
}

const earliest = (at: number, { dueAt }: Task) => Math.min(at, dueAt);
