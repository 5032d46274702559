import { setTimeout as delay } from 'node:timers/promises';

import type { CreateHandling } from './aws-gate.ts';
import type { Replica } from './replicas.ts';

/** Moments of a create that are visible only outside of its sender. */
export const moments = ['after-write', 'after-effect', 'after-answer'] as const;
export type Moment = (typeof moments)[number];

/** Injects a fault into a replica at a moment of the next create it sends. */
export interface CreateInjector {
  /** Waits for a create, then calls `inject`; after a while it calls it anyway. Resolves with its result. */
  injectAt<Result>(
    replica: Replica,
    moment: Moment,
    inject: () => Promise<Result>,
  ): Promise<Result>;
  /** Ends all injection. */
  stop(): void;
  /** Decides on every create. */
  atCreate(replica: Replica): CreateHandling;
}

const maxWaitMs = 4_000;
// A create may take effect this long after its sender has died.
const maxLateMs = 900;
// The time in which a replica reads the answer and records its outcome.
const recordingMs = 6;

/** Makes a create injector. */
export function makeCreateInjector(random: () => number): CreateInjector {
  const pending = new Map<Replica, { moment: Moment; inject: () => Promise<void> }>();
  let isStopped = false;
  return {
    stop() {
      isStopped = true;
      pending.clear();
    },
    injectAt(replica, moment, inject) {
      return new Promise((resolve, reject) => {
        let hasRun = false;
        const timer = setTimeout(() => void run(), maxWaitMs);
        const run = async () => {
          if (hasRun || isStopped) return;
          hasRun = true;
          clearTimeout(timer);
          pending.delete(replica);
          await inject().then(resolve, reject);
        };
        pending.set(replica, { moment, inject: run });
      });
    },
    atCreate(replica) {
      const injection = pending.get(replica);
      pending.delete(replica);
      switch (injection?.moment) {
        case undefined:
          return { sendAfterMs: 0 };
        case 'after-write':
          void injection.inject();
          return random() < 0.5 ? {} : { sendAfterMs: random() * maxLateMs };
        case 'after-effect':
          return { sendAfterMs: 0, beforeAnswer: injection.inject };
        case 'after-answer': {
          const injectSoon = async () => {
            void delay(random() * recordingMs).then(injection.inject);
          };
          return { sendAfterMs: 0, beforeAnswer: injectSoon };
        }
      }
    },
  };
}
