import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

import { anonymous, type Principal } from '#auth/principal.ts';
import { inDigits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import type { AbortableSleep } from '#time/sleep.ts';

/** How many requests may wait for changes of jobs at once. */
export interface WatchLimits {
  /** In this process. */
  perProcess: number;
  /** For one caller; 0 means no limit. */
  perCaller: number;
}

/** How old a waiting request can become. */
export interface MaxAge {
  /** The age at which a request ends. */
  ageMs: () => number;
  /** After this further time, its connection is closed: its caller does not take the rest. */
  graceMs: number;
  sleep: AbortableSleep;
}

/** The requests that wait for changes of jobs: event streams, or long polls. */
export interface WaitingRequests {
  /**
   * Counts a request until its response closes. The signal aborts when its caller has left, at the maximum age, and
   * when the service closes. It must end every wait and loop of the request.
   * @throws Problem too-many-watchers, too-many-streams
   */
  admit(principal: Principal, response: ServerResponse): AbortSignal;
  /** Ends all of them; resolves when every response is closed. */
  close(): Promise<void>;
}

/**
 * Makes the counter of waiting requests of one kind; `what` names the kind in problems. Anonymous
 * callers have the limit of the process only.
 */
export function makeWaitingRequests(
  what: string,
  { perProcess, perCaller }: WatchLimits,
  maxAge?: MaxAge,
): WaitingRequests {
  const open = new Map<ServerResponse, AbortController>();
  const counts = new Map<string, number>();
  let isClosed = false;

  function refuseTooMany(principal: Principal): void {
    const isLimited = perCaller > 0 && principal !== anonymous;
    if (isLimited && (counts.get(principal.id) ?? 0) >= perCaller) {
      throw new Problem(
        'too-many-watchers',
        `You have ${inDigits(perCaller)} ${what} open, which is the limit.`,
      );
    }
    if (open.size >= perProcess) {
      const detail = `This process has ${inDigits(perProcess)} ${what} open, which is the limit.`;
      throw new Problem('too-many-streams', detail);
    }
  }

  function count(callerId: string, by: 1 | -1): void {
    const now = (counts.get(callerId) ?? 0) + by;
    if (now === 0) counts.delete(callerId);
    else counts.set(callerId, now);
  }

  return {
    admit(principal, response) {
      refuseTooMany(principal);
      const stop = new AbortController();
      if (isClosed || response.closed) stop.abort(); // a connection that was still open, or is gone
      if (response.closed) return stop.signal;
      open.set(response, stop);
      count(principal.id, 1);
      const closed = new AbortController();
      response.once('close', () => {
        open.delete(response);
        count(principal.id, -1);
        stop.abort();
        closed.abort();
      });
      if (maxAge) void limitAge(response, stop, closed.signal, maxAge);
      return stop.signal;
    },

    async close() {
      isClosed = true;
      const closed = [...open].map(([response, stop]) => {
        const ended = once(response, 'close');
        stop.abort();
        // Its reader does not keep up, and goes on after the last event it has, elsewhere.
        if (response.writableNeedDrain) response.destroy();
        return ended;
      });
      await Promise.all(closed);
    },
  };
}

async function limitAge(
  response: ServerResponse,
  stop: AbortController,
  closed: AbortSignal,
  { ageMs, graceMs, sleep }: MaxAge,
): Promise<void> {
  await sleep(ageMs(), closed);
  stop.abort();
  await sleep(graceMs, closed);
  response.destroy();
}
