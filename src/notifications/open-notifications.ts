import { makeDatabaseClock } from '#database/database-clock.ts';
import { untilMigrated } from '#database/until-migrated.ts';
import { Problem } from '#problems/problem.ts';
import { makeOutageLog } from '#telemetry/outage-log.ts';
import { backOffMs } from '#time/back-off.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import { makeWakeSignal } from '#time/wake-signal.ts';
import { type CourierOptions, makeCourier } from './courier.ts';
import { shortenDeliveryWaits } from './deliveries/clock-set-back.ts';
import { endPending } from './deliveries/end-pending.ts';
import { type DeliveryWork, findWork } from './deliveries/find-work.ts';
import type { SendWebhook } from './deliveries/tries/delivery-result.ts';
import { fanOut } from './outbox/fan-out.ts';
import { confirmSinks, destinationOf, readSink } from './outbox/sinks-in-use.ts';
import { eventsRecorded } from './record-event.ts';

/** Takes events from the outbox to their receivers, as long as it is open. */
export interface Notifications {
  /** Looks for work at once. Otherwise it does so every few seconds. */
  wake(): void;
  /** Begins no further delivery, and finishes those that go on. Others are sent after the next start. */
  close(): Promise<void>;
}

/** What the notifications need. */
export interface NotificationsOptions extends Omit<CourierOptions, 'onEnd' | 'sendWebhook'> {
  /** Absent if callers can have no webhooks. */
  sendWebhook: SendWebhook | undefined;
  /** The path prefix of links. */
  basePath: string;
  sleep: AbortableSleep;
}

const confirmEveryMs = 60_000;
// Rounds of events before deliveries begin. Fewer: a burst of events looks for work more often. More: somebody who adds
// events all the time delays the deliveries of everybody.
const maxRounds = 10;
// Between attempts after a failure of the database.
const pauses = { firstMs: 1_000, maxMs: 30_000 };

/** Opens the notifications. While there is nothing to do, this is one statement every few seconds. */
export function openNotifications(options: NotificationsOptions): Notifications {
  const { database, targets, sendWebhook, elapsed, sleep, log, now } = options;
  const { pollMs } = options.timings;
  const stop = new AbortController();
  const { signal } = stop;
  const wakeSignal = makeWakeSignal();
  const courier = makeCourier(
    { ...options, sendWebhook: sendWebhook ?? refuse, onEnd: wakeSignal.wake },
    signal,
  );
  const outage = makeOutageLog({ log, now, elapsed });
  const hasWebhooks = sendWebhook !== undefined;
  const clock = makeDatabaseClock(elapsed);
  let areWaitsRight = false; // the clock may have been set back before the start
  let failures = 0;
  let confirmed = '';
  let confirmedAt = Number.NEGATIVE_INFINITY;
  const loop = run();
  options.track?.(loop);
  return {
    wake: wakeSignal.wake,
    async close() {
      stop.abort();
      wakeSignal.wake();
      await loop;
      await courier.whenIdle();
    },
  };

  async function run(): Promise<void> {
    using _listening = database.listen((text) => {
      if (text === eventsRecorded) wakeSignal.wake();
    });
    await untilMigrated(database, signal);
    while (!signal.aborted) {
      const waitMs = await workOnce().catch(recover);
      await wakeSignal.sleepUnlessWoken((woken) => sleep(waitMs, woken));
    }
  }

  /** Returns the time until there is something to do, as far as it is known. */
  async function workOnce(): Promise<number> {
    await confirm();
    let work = await lookForWork();
    let isLeft = work.hasEvents;
    for (let round = 0; isLeft && round < maxRounds && !signal.aborted; round += 1)
      isLeft = (await fanOut(database, options.basePath)) > 0;
    if (work.hasEvents) work = await lookForWork();
    for (const { destination, isClosed } of work.destinations)
      if (isClosed && (await endPending(database, destination))) isLeft = true;
    const sinks = new Set(ownSinks().map(destinationOf));
    const open = work.destinations.filter(({ isClosed }) => !isClosed);
    const ours = open.filter(({ destination }) =>
      // Another replica may have other settings during a change.
      readSink(destination) ? sinks.has(destination) : hasWebhooks,
    );
    await courier.beginDue(ours);
    failures = 0;
    outage.worked({}, 'looks for notifications again');
    const later = ours.map(({ dueInMs }) => dueInMs).filter((ms) => ms > 0);
    return isLeft ? 0 : Math.min(pollMs, ...later);
  }

  /** Finds what there is to do. Nothing waits for longer because the clock of the database was set back. */
  async function lookForWork(): Promise<DeliveryWork> {
    const beganAt = elapsed();
    const work = await findWork(database);
    if (clock.observe(work.now, beganAt) > 0) areWaitsRight = false;
    if (areWaitsRight) return work;
    const deliveries = await shortenDeliveryWaits(database);
    areWaitsRight = true;
    if (deliveries === 0) return work;
    log.error(
      { deliveries },
      'clock of the database was set back, shortened the waits of deliveries',
    );
    return findWork(database);
  }

  function ownSinks() {
    return targets
      .listSinks()
      .flatMap(({ target, kinds }) => kinds.map((kind) => ({ target, kind })));
  }

  /** Confirms what this replica sends to when that has changed, and every minute. */
  async function confirm(): Promise<void> {
    const sinks = ownSinks();
    const names = JSON.stringify(sinks);
    if (names === confirmed && elapsed() - confirmedAt < confirmEveryMs) return;
    await confirmSinks(database, sinks, hasWebhooks);
    confirmed = names;
    confirmedAt = elapsed();
  }

  function recover(err: Error): number {
    if (signal.aborted) return 0;
    const pauseMs = backOffMs(failures, pauses);
    failures += 1;
    const problem = err instanceof Problem ? err.slug : undefined;
    outage.failed({ problem, err, pauseMs }, 'failed to look for notifications, retrying');
    return pauseMs;
  }
}

/** Never called: without webhooks, no delivery to one is taken up. */
const refuse: SendWebhook = async () => ({ outcome: 'refused', durationMs: 0 });
