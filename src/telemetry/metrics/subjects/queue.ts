import type { AbortableSleep } from '#time/sleep.ts';
import { makeFigures } from '../figures.ts';
import type { Instruments } from '../instruments.ts';

/** The slices of a target that have not ended. The numbers may be limited. */
interface OpenSlices {
  target: string;
  /** Waiting slices that are ready later, and those that are ready. */
  delayed: number;
  ready: number;
  /** For how long the first of them has been ready; 0 if none is. */
  oldestReadyMs: number;
  /** The state of the slice in the slot; null if there is none. */
  active: string | null;
  /** Slices whose exports are verified. */
  verifying: number;
  /** For how long the oldest of these verifications has been open; 0 if none is. */
  oldestVerificationMs: number;
  /** Whether a foreign task is in the slot. */
  isHeldByOthers: boolean;
}

/** What the figures of the queue depend on. */
export interface QueueOptions {
  /** Reads all targets that have such slices. It is given the number of configured targets. */
  read: (targets: number) => Promise<readonly OpenSlices[]>;
  sleep: AbortableSleep;
  /** Ends the reading. */
  stop: AbortSignal;
}

const states = ['delayed', 'ready', 'starting', 'running', 'cancelling', 'verifying'];

// The oldest reading that says that a slot is idle. Shorter: nothing does with a scrape every two minutes. Longer: a replica
// that lost the database reports slots that others have filled meanwhile.
const maxIdleAgeMs = 150_000;

const seconds = (ms: number) => ms / 1_000;
const longest = (times: readonly number[]) => Math.max(0, ...times);

/** Measures the queue, as the database has it. */
export function measureQueue(
  { gauge, beforeScrape, beforeScrapeOfTargets, elapsed }: Instruments,
  { read, sleep, stop }: QueueOptions,
): void {
  const slices = gauge({
    name: 'log_export_slices',
    help: 'Slices that have not ended, by state, in the whole queue. Long queues are counted up to a limit.',
    labelNames: ['state'],
  });
  const oldestReady = gauge({
    name: 'log_export_oldest_ready_slice_age_seconds',
    help: 'Time that the oldest ready slice has been ready, in seconds; 0 if none is.',
  });
  const oldestVerification = gauge({
    name: 'log_export_oldest_verification_age_seconds',
    help: 'Time since the end of the oldest export task whose verification has not ended, in seconds; 0 if there is none.',
  });
  const age = gauge({
    name: 'log_export_database_gauges_age_seconds',
    help: 'Age of the figures that were read from the database, in seconds.',
  });
  const targetSlices = gauge({
    name: 'log_export_target_slices',
    help: 'Slices of a target that have not ended, by state. Long queues are counted up to a limit.',
    labelNames: ['target', 'state'],
  });
  const targetOldestReady = gauge({
    name: 'log_export_target_oldest_ready_slice_age_seconds',
    help: 'Time that the oldest ready slice of a target has been ready, in seconds; 0 if none is.',
    labelNames: ['target'],
  });
  const idle = gauge({
    name: 'log_export_slot_idle_seconds',
    help: 'Longest time that the slot of a usable target has been free while slices were ready, in seconds; 0 if none is.',
  });
  const targetIdle = gauge({
    name: 'log_export_target_slot_idle_seconds',
    help: 'Time that the slot of a target has been free while slices were ready, in seconds; 0 if it is not.',
    labelNames: ['target'],
  });
  // Of the slots that the last readings found idle, by the clock of the readings.
  let idleSince = new Map<string, number>();
  const figures = makeFigures<readonly OpenSlices[]>({ elapsed, sleep, stop });
  const isTooOld = (readAt: number) => elapsed() - readAt > maxIdleAgeMs;
  // There are no figures yet, which is not the same as 0.
  for (const each of [oldestReady, oldestVerification, age, idle]) each.remove();

  beforeScrape((targets) => {
    figures.refresh(() => read(targets.length));
    const latest = figures.latest();
    if (!latest) return;
    const { value: queues, readAt } = latest;
    for (const state of states) {
      slices.set(
        { state },
        queues.reduce((sum, queue) => sum + countOf(queue, state), 0),
      );
    }
    oldestReady.set(seconds(longest(queues.map((queue) => queue.oldestReadyMs))));
    oldestVerification.set(seconds(longest(queues.map((queue) => queue.oldestVerificationMs))));
    age.set(seconds(elapsed() - readAt));
    const idleTargets = new Set(queues.filter(hasIdleSlot).map(({ target }) => target));
    idleSince = new Map(
      targets
        .filter(({ name, state }) => idleTargets.has(name) && state !== 'unusable')
        .map(({ name }) => [name, idleSince.get(name) ?? readAt]),
    );
    if (isTooOld(readAt)) idle.remove();
    else idle.set(seconds(longest([...idleSince.values()].map((since) => readAt - since))));
  });
  beforeScrapeOfTargets((targets) => {
    targetSlices.reset();
    targetOldestReady.reset();
    targetIdle.reset();
    const latest = figures.latest();
    if (!latest) return;
    const queues = new Map(latest.value.map((queue) => [queue.target, queue]));
    for (const { name: target } of targets) {
      const queue = queues.get(target);
      for (const state of states) {
        targetSlices.set({ target, state }, queue ? countOf(queue, state) : 0);
      }
      targetOldestReady.set({ target }, seconds(queue?.oldestReadyMs ?? 0));
      if (isTooOld(latest.readAt)) continue;
      const since = idleSince.get(target) ?? latest.readAt;
      targetIdle.set({ target }, seconds(latest.readAt - since));
    }
  });
}

function hasIdleSlot({ ready, active, isHeldByOthers }: OpenSlices): boolean {
  return ready > 0 && active === null && !isHeldByOthers;
}

function countOf({ delayed, ready, active, verifying }: OpenSlices, state: string): number {
  if (state === 'delayed') return delayed;
  if (state === 'ready') return ready;
  if (state === 'verifying') return verifying;
  return active === state ? 1 : 0;
}
