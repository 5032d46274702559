import { untilMigrated } from '#database/until-migrated.ts';
import { eventsRecorded } from '#notifications/record-event.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import type { WakeSignal } from '#time/wake-signal.ts';
import { leave, noteAlive } from '../../store/membership.ts';
import { readWork, type SlotWork } from '../../store/reads/read-work.ts';
import { renewLeases } from '../../store/steps/renew-leases.ts';
import { hasVerifications } from '../../store/verifications/due-verifications.ts';
import type { Verifier } from '../../verification/verifier.ts';
import { jitteredBackOffMs } from '../pacing/slot-back-off.ts';
import type { SharedOptions } from './dispatcher-options.ts';
import { makeOwnerOrder } from './preferred-owner.ts';
import { slotDuty } from './slot-duty.ts';
import type { SlotWorker } from './slot-worker.ts';
import type { SlotWorkers } from './slot-workers.ts';

// The statement that finds work takes at most this share of the time, so that many wake-ups do not
// fill the database. Lower: a new job starts later. Higher: thousands of targets cost more.
const maxShare = 0.1;
// The back-off grows no further than for this many failures: until the database is back, slots stand
// still.
const maxFailures = 2;
// How many slots a process gives to others until they have taken them. Fewer: a new replica gets its share
// late. More: it cannot take them all within `takeOverMs`, and counts as one that does not work them.
const maxHandOvers = (held: number) => Math.max(10, held / 25);
// How many names a line of the log has. Fewer: they are hard to find. More: the line is too long.
const maxNames = 10;

/**
 * Looks after all slots of a process until it is stopped: renews its leases, finds the targets with
 * work, and starts their workers. It wakes the verifier when a verification is due. While nothing is to be done, this is one statement per second.
 */
export async function lookAfterSlots(
  options: SharedOptions & { verifier: Pick<Verifier, 'wake' | 'renew'> },
  workers: SlotWorkers,
  wakeSignal: WakeSignal,
  stop: AbortSignal,
): Promise<void> {
  const { database, targets, owner, timings, elapsed, random, sleep, log } = options;
  const { databaseOutage, verifier } = options;
  const { leaseMs, idleMs: soonMs, sweepAfterSendMs, takeOverMs } = timings;
  const renewEveryMs = leaseMs / 3;
  const isShared = database.kind === 'postgres';
  const orderOwners = makeOwnerOrder();
  let unknownBefore = new Set<string>();
  let renewedAt = Number.NEGATIVE_INFINITY;
  let failures = 0;

  targets.onChange((name) => {
    workers.targetChanged(name);
    wakeSignal.wake();
  });
  using _listening = database.listen((text) => {
    // In one process, those who change a queue wake it after the transaction.
    if (isShared && text !== eventsRecorded) wakeSignal.wake();
  });
  await untilMigrated(database, stop);
  while (!stop.aborted) {
    const waitMs = await lookOnce().catch(recover);
    await wakeSignal.sleepUnlessWoken((signal) => sleep(waitMs, signal));
  }
  await Promise.all(workers.all().map(({ ended }) => ended));
  if (isShared) await leave(database, owner).catch(() => {}); // it counts as alive for one lease

  async function lookOnce(): Promise<number> {
    if (elapsed() - renewedAt >= renewEveryMs) await renew();
    await verifier.renew();
    const beganAt = elapsed();
    const work = await readWork(database, { leaseMs, soonMs, sweepAfterSendMs });
    act(work.slots, [...new Set([...work.replicas, owner])].sort(), beganAt);
    if (work.isVerificationDue) verifier.wake();
    await releaseDrained(work.slots);
    failures = 0;
    databaseOutage.worked({}, 'database of the export jobs works again');
    const pauseMs = (elapsed() - beganAt) * (1 / maxShare - 1);
    if (pauseMs > 0) await sleep(Math.min(pauseMs, renewEveryMs / 2), stop);
    return Math.max(0, Math.min(beganAt + soonMs, renewedAt + renewEveryMs) - elapsed());
  }

  async function renew(): Promise<void> {
    const beganAt = elapsed();
    const held = workers.all().flatMap((worker) => {
      const lease = worker.held()?.lease;
      return lease ? [{ worker, lease }] : [];
    });
    if (held.length > 0) {
      const leases = held.map(({ lease }) => lease);
      const { lost, now } = await renewLeases(database, owner, leases, leaseMs);
      if (now !== undefined) workers.noteClock(now, beganAt);
      for (const { worker, lease } of held) {
        if (worker.held()?.lease !== lease) continue;
        if (lost.includes(lease)) worker.lost();
        else worker.renewed(beganAt);
      }
    }
    if (isShared) await noteAlive(database, owner);
    renewedAt = beganAt;
  }

  function act(slots: readonly SlotWork[], alive: readonly string[], beganAt: number): void {
    const unknown: string[] = [];
    const withWork = new Set(slots.map(({ target }) => target));
    for (const worker of workers.all()) if (!withWork.has(worker.name)) worker.foundNone(beganAt);
    const duties = slots.map((work) => {
      const owners = orderOwners(work.target, alive);
      return { work, duty: slotDuty(work, { owner, owners, leaseMs, takeOverMs }) };
    });
    const awaited = duties.filter(({ duty }) => duty.act === 'await').length;
    let handOversLeft = maxHandOvers(workers.all().length) - awaited;
    for (const { work, duty } of duties) {
      const worker = workers.get(work.target);
      worker?.found(work, beganAt);
      if (worker && duty.act === 'hand-over' && handOversLeft > 0 && isSettled(worker)) {
        worker.handOver();
        handOversLeft -= 1;
      }
      if (worker || duty.act === 'leave' || duty.act === 'await') continue;
      const target = targets.forDispatcher(work.target);
      if (!target && work.activeJobId !== null && !targets.look(work.target))
        unknown.push(work.target);
      if (!target || (target.isDraining() && work.activeJobId === null)) continue;
      workers.start(target, duty.act === 'take' ? duty.passedOver : undefined);
    }
    warnOfUnknown(unknown);
  }

  // One line for all that are new: a file can lose a thousand targets.
  function warnOfUnknown(names: readonly string[]): void {
    const added = names.filter((name) => !unknownBefore.has(name));
    unknownBefore = new Set(names);
    if (added.length === 0) return;
    const facts = { slots: added.length, targets: added.slice(0, maxNames) };
    log.warn(facts, 'left slots alone: their targets are not configured');
  }

  // Until all replicas know of each other, two of them may each take the other for the preferred owner.
  function isSettled(worker: SlotWorker): boolean {
    const since = worker.held()?.since;
    return since !== undefined && elapsed() - since >= renewEveryMs;
  }

  // One that runs and verifies nothing, or whose slice runs at a place where another one of its name can
  // work it.
  async function releaseDrained(slots: readonly SlotWork[]): Promise<void> {
    for (const target of targets.listDraining()) {
      const { name } = target;
      const work = slots.find((each) => each.target === name);
      const isActive = work && work.activeJobId !== null && !isElsewhere(work, target);
      if (isActive || workers.get(name) || (await hasVerifications(database, target))) continue;
      targets.release(name);
    }
  }

  function recover(error: Error): number {
    if (stop.aborted) return 0;
    failures += 1;
    const pauseMs = Math.round(jitteredBackOffMs(Math.min(failures, maxFailures), random));
    const problem = error instanceof Problem ? error.slug : undefined;
    databaseOutage.failed({ problem, err: error, pauseMs }, 'failed to look for work, retrying');
    return pauseMs;
  }
}

/** Whether the slice in a slot runs in another account or Region than that of the target. */
function isElsewhere({ accountId, region }: SlotWork, target: OpenTarget): boolean {
  return accountId !== null && (accountId !== target.accountId || region !== target.region);
}
