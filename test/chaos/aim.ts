import { setTimeout as delay } from 'node:timers/promises';

import type { CreateFate } from './aws-gate.ts';
import type { Replica } from './replicas.ts';

/** Moments of a create that only its other side can see. */
export const moments = ['after-write', 'after-effect', 'after-answer'] as const;
export type Moment = (typeof moments)[number];

/** Strikes a replica at a moment of the next create it sends. */
export interface Aim {
  /** Waits for the create; after a while without one it strikes anyway. Resolves with what `strike` does. */
  strikeAt<Result>(
    replica: Replica,
    moment: Moment,
    strike: () => Promise<Result>,
  ): Promise<Result>;
  /** From now on it strikes nobody. */
  standDown(): void;
  /** To be asked about every create. */
  atCreate(replica: Replica): CreateFate;
}

const patienceMs = 4_000;
// A create that its sender did not outlive may still take effect a good while later.
const maxLateMs = 900;
// In which the answer is read and its outcome written down.
const recordingMs = 6;

/** Makes an aim. */
export function makeAim(random: () => number): Aim {
  const awaited = new Map<Replica, { moment: Moment; strike: () => Promise<void> }>();
  let isOver = false;
  return {
    standDown() {
      isOver = true;
      awaited.clear();
    },
    strikeAt(replica, moment, strike) {
      return new Promise((resolve, reject) => {
        let hasStruck = false;
        const timer = setTimeout(() => void hit(), patienceMs);
        const hit = async () => {
          if (hasStruck || isOver) return;
          hasStruck = true;
          clearTimeout(timer);
          awaited.delete(replica);
          await strike().then(resolve, reject);
        };
        awaited.set(replica, { moment, strike: hit });
      });
    },
    atCreate(replica) {
      const aimed = awaited.get(replica);
      awaited.delete(replica);
      switch (aimed?.moment) {
        case undefined:
          return { sendAfterMs: 0 };
        case 'after-write':
          void aimed.strike();
          return random() < 0.5 ? {} : { sendAfterMs: random() * maxLateMs };
        case 'after-effect':
          return { sendAfterMs: 0, beforeAnswer: aimed.strike };
        case 'after-answer': {
          const strikeSoon = async () => {
            void delay(random() * recordingMs).then(aimed.strike);
          };
          return { sendAfterMs: 0, beforeAnswer: strikeSoon };
        }
      }
    },
  };
}
