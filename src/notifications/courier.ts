import { randomBytes } from 'node:crypto';

import { setAsNewest } from '#caching/bounded-map.ts';
import type { Database } from '#database/database.ts';
import { deliveryEnds } from '#diagnostics/exports.ts';
import type { Log } from '#telemetry/log.ts';
import { makeOutageLog, type OutageLog } from '#telemetry/outage-log.ts';
import type { PendingDestination } from './deliveries/find-work.ts';
import { type ClaimedDelivery, claimDelivery } from './deliveries/tries/claim-delivery.ts';
import type { DeliveryResult } from './deliveries/tries/delivery-result.ts';
import { recordResult } from './deliveries/tries/record-result.ts';
import {
  type DeliveryOptions,
  kindOf,
  type SentDelivery,
  sendDelivery,
} from './deliveries/tries/send-delivery.ts';
import { makeTurns, type Receiver } from './deliveries/turns.ts';
import type { NotificationTimings } from './timings.ts';

/** Sends deliveries, a few at once. */
export interface Courier {
  /** Begins the deliveries that are due, as far as those that go on leave room. */
  beginDue(pending: readonly PendingDestination[]): Promise<void>;
  /** Resolves when no delivery goes on. */
  whenIdle(): Promise<void>;
}

/** What the courier needs. */
export interface CourierOptions extends DeliveryOptions {
  database: Database;
  /** The name of this process in the leases: unique among all processes that use the database. */
  owner: string;
  timings: NotificationTimings;
  log: Log;
  /** The time of day, as epoch ms: for the log alone. */
  now: () => number;
  random: () => number;
  /** Called when a delivery has ended: others may wait for its place. */
  onEnd: () => void;
  /** Called with each loop and each delivery that begins, as a promise of its end. Tests count them. */
  track?: ((loop: Promise<void>) => void) | undefined;
}

// How many destinations are remembered as failing. Fewer: an outage has more lines. More: memory.
const maxOutages = 1_000;

/** Makes what sends deliveries. `signal` ends it: what goes on is finished. */
export function makeCourier(options: CourierOptions, signal: AbortSignal): Courier {
  const { database, timings, log, now, elapsed, random, onEnd, track } = options;
  const { leaseMs, pausesMs } = timings;
  // Leases of an earlier process of the same name are not ours: nobody sends its deliveries.
  const owner = `${options.owner}/${randomBytes(4).toString('hex')}`;
  // Each claim has its own name: after a replay, a delivery can be sent again while its old try goes on.
  let claims = 0;
  const turns = makeTurns();
  const running = new Set<Promise<void>>();
  const outages = new Map<string, OutageLog>();
  const storing = makeOutageLog({ log, now, elapsed });

  function begin(receiver: Receiver, claim: ClaimedDelivery): void {
    turns.begin(receiver);
    let result: DeliveryResult | undefined;
    const ended = deliver(claim)
      .then((sent) => {
        result = sent?.result;
        storing.worked({}, 'deliveries of notifications are stored again');
      })
      // It is sent again after its lease: the receiver knows it by its id.
      .catch((err) => storing.failed({ err }, 'failed to store a delivery, retrying'))
      .then(() => {
        turns.end(receiver, result);
        running.delete(ended);
        onEnd();
      });
    running.add(ended);
    track?.(ended);
  }

  async function deliver(claim: ClaimedDelivery): Promise<SentDelivery | undefined> {
    const sent = await sendDelivery(options, claim);
    if (!sent) return undefined;
    const { outcome, durationMs } = sent.result;
    deliveryEnds.publish({ kind: kindOf(claim.destination), outcome, durationMs });
    const pauses = { pausesMs, random: random() };
    const change = await recordResult(database, claim, sent, pauses);
    logResult(claim, sent);
    if (change === 'disabled') {
      log.warn({ ...sent.receiver, outcome }, 'disabled a webhook endpoint that takes no events');
    }
    return sent;
  }

  function logResult({ destination, eventId, tries }: ClaimedDelivery, sent: SentDelivery): void {
    const { receiver, result } = sent;
    const outage = outages.get(destination) ?? makeOutageLog({ log, now, elapsed });
    if (result.outcome === 'delivered') {
      outage.worked(receiver, 'notifications arrive again');
      outages.delete(destination);
      return;
    }
    setAsNewest(outages, destination, outage, maxOutages);
    const { outcome, status, reason } = result;
    const facts = { ...receiver, eventId, tries, outcome, status, reason };
    // A receiver of a caller is not for the operator to repair.
    const isOurs = kindOf(destination) !== 'webhook';
    const alarm = isOurs ? {} : { alarmAfterMs: Number.POSITIVE_INFINITY };
    outage.failed(facts, 'failed to deliver a notification, retrying', alarm);
  }

  return {
    async beginDue(pending) {
      const due = new Set(pending.filter(({ dueInMs }) => dueInMs <= 0));
      while (!signal.aborted) {
        const next = turns.next(due);
        if (!next) return;
        const { destination } = next;
        claims += 1;
        const claim = await claimDelivery(database, {
          destination,
          owner: `${owner}/${claims}`,
          leaseMs,
        });
        if (claim) begin(next, claim);
        else due.delete(next);
      }
    },
    async whenIdle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
