import { deliveryEnds } from '#diagnostics/exports.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import { makeFigures } from '../../figures.ts';
import type { Instruments } from '../../instruments.ts';

/** The events that wait in the outbox, or for one kind of destination. */
interface WaitingEvents {
  destination: string;
  pending: number;
  oldestMs: number;
}

/** What the figures of notifications depend on. */
export interface NotificationFiguresOptions {
  read: () => Promise<readonly WaitingEvents[]>;
  sleep: AbortableSleep;
  /** Ends the reading. */
  stop: AbortSignal;
}

const kinds = ['webhook', 'sns', 'event-bus'];
const outcomes = ['delivered', 'failed', 'gone', 'refused'];

/** Measures the notifications, as the database has them, and counts the tries of this process. */
export function measureNotifications(
  { counter, gauge, listen, beforeScrape, elapsed }: Instruments,
  { read, sleep, stop }: NotificationFiguresOptions,
): void {
  const tries = counter({
    name: 'log_export_notification_tries_total',
    help: 'Tries to deliver an event, by kind of destination and outcome.',
    labelNames: ['destination', 'outcome'],
  });
  for (const destination of kinds) {
    for (const outcome of outcomes) tries.inc({ destination, outcome }, 0);
  }
  listen(deliveryEnds, ({ kind, outcome }) => tries.inc({ destination: kind, outcome }));

  const pending = gauge({
    name: 'log_export_notifications_pending',
    help: 'Events in the outbox, and deliveries that have not ended, by kind of destination. Long backlogs are counted up to a limit.',
    labelNames: ['destination'],
  });
  const oldest = gauge({
    name: 'log_export_oldest_notification_age_seconds',
    help: 'Age of the oldest of these events, in seconds; 0 if there is none.',
    labelNames: ['destination'],
  });
  const figures = makeFigures<readonly WaitingEvents[]>({ elapsed, sleep, stop });
  beforeScrape(() => {
    figures.refresh(read);
    const waiting = figures.latest()?.value;
    if (!waiting) return;
    for (const destination of ['outbox', ...kinds]) {
      const found = waiting.find((each) => each.destination === destination);
      pending.set({ destination }, found?.pending ?? 0);
      oldest.set({ destination }, (found?.oldestMs ?? 0) / 1_000);
    }
  });
}
