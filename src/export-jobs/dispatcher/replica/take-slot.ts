import type { Installation } from '#targets/marker.ts';
import type { OpenTarget } from '#targets/target.ts';
import type { OutageLog } from '#telemetry/outage-log.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import { readDurations } from '../../store/reads/read-durations.ts';
import { findSetBackMs } from '../../store/steps/clock-set-back.ts';
import { releaseLease, takeLease } from '../../store/steps/hold-lease.ts';
import type { OwnedSlot, SlotMemory, SlotOptions } from '../owned-slot.ts';
import type { CallSpacing } from '../pacing/call-spacing.ts';
import { makeTaskDurations } from '../pacing/task-durations.ts';
import type { SlotOutages } from '../slot-outages.ts';

/** What is remembered of a slot from one worker to the next. Instants are by `elapsed`. */
export interface SlotRecall {
  callSpacing: CallSpacing;
  memory: SlotMemory;
  outages: SlotOutages;
  /** The number of its last lease. */
  fence: number;
  /** Failures in a row. */
  failures: number;
  /** No worker before this. */
  notBefore: number;
}

/** What the worker of one slot needs beside what its steps need. */
export interface SlotWorkerOptions extends Omit<SlotOptions, 'installation'> {
  installation: () => Promise<Installation>;
  /** The name of this process in the leases: unique among all processes that use the database. */
  owner: string;
  /** The replica that should have taken the slot and did not. */
  passedOver: string | undefined;
  recall: SlotRecall;
  /** Failures of the database, of all slots together. */
  databaseOutage: OutageLog;
  /** Reads the target again; `undefined` while it is unusable. */
  findTarget: () => OpenTarget | undefined;
  /** Notes a reading of the database's clock, which began at an instant by `elapsed`. */
  noteClock: (now: number, beganAt: number) => void;
  /** Waits until few enough workers take a lease at the same time. */
  inTurn: <Result>(act: () => Promise<Result>) => Promise<Result>;
  sleep: AbortableSleep;
  stop: AbortSignal;
}

// Only a change of the target ends this state, and that ends the pause, too. Shorter: the log fills up.
const movedMs = 60_000;
// How many durations a new owner reads. Fewer: its first polls come late. More: it reads what is old.
const rememberedDurations = 100;

/** A slot that was just taken, when, and by how many ms the database's clock was set back before. */
interface TakenSlot {
  slot: Omit<OwnedSlot, 'pause'>;
  at: number;
  setBackMs: number;
}

/**
 * Takes the lease of a slot, and reads what its owner must know. `undefined` if another replica has the
 * lease, or if the target has moved during a slice.
 */
export async function takeSlot(
  options: SlotWorkerOptions,
  target: OpenTarget,
): Promise<TakenSlot | undefined> {
  const { database, timings, owner, recall, elapsed } = options;
  const { memory, callSpacing, outages } = recall;
  const { name, accountId, region } = target;
  const { leaseMs, standBackPauses: standsBack } = timings;
  const passedOver = options.passedOver && { owner: options.passedOver, standsBack };
  const at = elapsed();
  const answer = await takeLease(database, {
    target: name,
    accountId,
    region,
    owner,
    leaseMs,
    ...(passedOver && { passedOver }),
  });
  if (!answer.lease) {
    if (!answer.isMoved) return undefined;
    const text = 'left a slot alone: its target moved to another account or Region during a slice';
    outages.move.failed({ target: name }, text, { alarmAfterMs: 0 });
    recall.notBefore = elapsed() + movedMs;
    return undefined;
  }
  const { lease, now, sentAgoMs, sweptAgoMs } = answer;
  options.noteClock(now, at); // the rows show whether it was set back before
  const setBackMs = Math.max(answer.setBackMs, await findSetBackMs(database, name));
  outages.move.worked({ target: name }, 'the slot is at its target again');
  memory.running = undefined;
  memory.endedAt = undefined; // another owner may have worked the slot since
  memory.readyAt = Number.NEGATIVE_INFINITY;
  // AWS may have accepted creates of another owner since.
  if (lease.fence !== recall.fence + 1) outages.creates.forget();
  recall.fence = lease.fence;
  memory.sentAt = at - (sentAgoMs ?? Number.POSITIVE_INFINITY);
  memory.sweptAt = at - (sweptAgoMs ?? Number.POSITIVE_INFINITY);
  const durations = makeTaskDurations(
    await readDurations(database, name, rememberedDurations),
    timings,
  );
  const installation = await options.installation();
  const slot = { ...options, target, installation, lease, callSpacing, durations, memory, outages };
  return { slot, at, setBackMs };
}

/** Releases a slot. Who stands back lets others go first: it cannot work the slot now. */
export async function releaseSlot(
  { database, lease, memory, timings, elapsed }: OwnedSlot,
  isStandingBack: boolean,
): Promise<void> {
  const sweptAgoMs = Math.round(elapsed() - memory.sweptAt);
  await releaseLease(database, lease, {
    ...(isStandingBack && { standsBack: timings.standBackPauses }),
    ...(Number.isFinite(sweptAgoMs) && { sweptAgoMs }),
  });
}
