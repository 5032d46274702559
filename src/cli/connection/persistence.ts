import { exitCodes, makeCommandError } from '../exit-codes.ts';
import type { Screen } from '../output/screen.ts';
import type { Surroundings } from '../surroundings.ts';
import { type GatewayAnswer, isProblem } from './answer.ts';
import type { GatewayPlace } from './gateway-url.ts';

const firstPauseMs = 250;
const maxPauseMs = 5_000; // Lower: a gateway that starts gets more load. Higher: its return is noticed late.

/** How long a command tries again. */
export interface Patience {
  /** When it gives up, in epoch ms. Infinity: never. */
  deadline: number;
  /** How long it tries again while the gateway is away, in milliseconds. */
  awayMs: number;
}

/** Decides about further attempts, and waits before them. */
export interface Persistence {
  /**
   * Waits after an attempt without an answer, and at least for the `retryAfterMs` of a proxy.
   * @throws CommandError of exit code 5 when its patience has ended
   */
  pauseWhileAway(reason: string, retryAfterMs?: number): Promise<void>;
  /** Waits for a time in milliseconds. */
  pause(ms: number): Promise<void>;
  /** Waits as Retry-After says. Returns whether the request can be sent again. */
  waitOut(answer: GatewayAnswer): Promise<boolean>;
  /** Says that the gateway has answered. */
  answered(): void;
}

/** Makes the persistence of a command. */
export function makePersistence(
  { now, random, sleep, interrupted }: Surroundings,
  screen: Screen,
  { place, patience }: { place: GatewayPlace; patience: Patience },
): Persistence {
  let awaySince: number | undefined;
  let failures = 0;
  let refusedBy: string | undefined;

  const pause = async (ms: number) => {
    await sleep(ms, interrupted);
    interrupted.throwIfAborted();
  };
  const endOfAbsence = (since: number) => Math.min(since + patience.awayMs, patience.deadline);

  return {
    pause,
    async pauseWhileAway(reason, retryAfterMs = 0) {
      const isFirst = awaySince === undefined;
      awaySince ??= now();
      const leftMs = endOfAbsence(awaySince) - now();
      const what = `The gateway at ${place.base} does not answer: ${reason}.`;
      const hint = place.isDefault ? ' Set LOG_EXPORT_URL if it is elsewhere.' : '';
      if (leftMs <= 0) throw makeCommandError(exitCodes.gatewayAway, what + hint);
      if (isFirst) screen.note(`${what} Trying again for ${inWholeUnits(leftMs)}.`);
      const longestMs = Math.min(maxPauseMs, firstPauseMs * 2 ** failures);
      failures += 1;
      await pause(Math.min(leftMs, Math.max(retryAfterMs, longestMs * (0.5 + random() / 2))));
    },
    async waitOut({ status, document, retryAfterMs }) {
      if (!isProblem(document) || !document.isRetryable || retryAfterMs === undefined) return false;
      if (status !== 429 && status !== 503) return false;
      // A limit is for later. A gateway that cannot serve is as good as away.
      if (status === 503) awaySince ??= now();
      const end = status === 503 ? endOfAbsence(awaySince ?? now()) : patience.deadline;
      if (now() + retryAfterMs > end) return false;
      // Once for several refusals in a row: a gateway that asks for a second each time would fill the screen.
      if (document.title !== refusedBy) {
        screen.note(`${document.title}. Trying again in ${inWholeUnits(retryAfterMs)}.`);
      }
      refusedBy = document.title;
      await pause(retryAfterMs);
      return true;
    },
    answered() {
      if (failures > 0) screen.note('The gateway answers again.');
      awaySince = undefined;
      failures = 0;
      refusedBy = undefined;
    },
  };
}

/** A duration for people: 10 seconds, 5 minutes. */
function inWholeUnits(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds > 100) return `${Math.round(seconds / 60)} minutes`;
  return `${seconds} second${seconds === 1 ? '' : 's'}`;
}
