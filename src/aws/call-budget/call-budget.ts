import { Problem } from '#problems/problem.ts';
import { makeFairQueue } from './fair-queue.ts';

/**
 * The priority of a call. Creates and cancels of the dispatcher never wait, nor does one of its polls a
 * second. Its other polls are made with calls that no caller needs. A write is a create, a cancel, or a
 * read that looks up the outcome of one. A call for a verification is made when no other call waits, and
 * while the last second had less than half of the calls of the budget. One that has waited for two seconds
 * goes before reads, at most once a second.
 */
export type Lane = 'dispatcher' | 'poll' | 'write' | 'read' | 'verification';

/** A call that is taken from a budget. */
export interface BudgetRequest {
  lane: Lane;
  /** The id of the caller. Default: the gateway itself. */
  caller?: string | undefined;
  /** Aborts when the call is no longer needed. */
  signal?: AbortSignal | undefined;
}

/** A limit on the calls to AWS per second, for one target. */
export interface CallBudget extends Disposable {
  /**
   * Takes a call from the budget. Returns `undefined` when the call may be sent at once.
   * @throws Problem aws-call-budget-exhausted
   */
  take(request: BudgetRequest): Promise<void> | undefined;
  /** Counts a call that was not taken from the budget, such as a retry by the SDK. */
  count(): void;
  /** Halves the rate for a while, after AWS has throttled a call: others use its quota, too. */
  reduce(): void;
}

/** The limit and the clock of a budget. Times are in milliseconds. */
export interface CallBudgetOptions {
  /** 0 means no limit. */
  callsPerSecond: number;
  /** A clock that only goes forward. */
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
}

// Shorter: a burst of a few callers is refused. Longer: a read that has waited has no time left for
// AWS before the HTTP side gives up. It also bounds the queues: no more calls wait than can be sent
// in this time, whether they are of one caller or of many.
const maxWaitMs = 2_000;
// The same for verifications, for which nobody waits. Shorter: while callers use the budget up, they are
// refused again and again, and each of them begins anew. Longer: one that has ended still waits.
const maxVerificationWaitMs = 30_000;
// How long reads go before a verification. Shorter: they wait for it in every burst. Longer: callers who read
// without a pause keep slices from completing.
const readsFirstMs = 2_000;
// After a reduction, the rate rises by one call a second per interval. Shorter: replicas that share a
// quota exceed it again and again. Longer: they leave it unused for minutes.
const raiseIntervalMs = 10_000;

// How long after a call of the dispatcher one call a second is reserved for it. Shorter: it exceeds the
// budget each time it polls a long task. Longer: an idle dispatcher takes calls away from callers.
const dispatcherReserveMs = 20_000;

type QueuedLane = 'write' | 'read' | 'verification';

interface WaitingCall extends PromiseWithResolvers<void> {
  lane: QueuedLane;
  caller: string;
  /** When it is refused, by `elapsed`. */
  until: number;
}

/** Makes the budget of one target. */
export function makeCallBudget(options: CallBudgetOptions): CallBudget {
  const { elapsed, sleep } = options;
  const maxPerSecond = options.callsPerSecond || Number.POSITIVE_INFINITY;
  const sentAt: number[] = []; // within the last second
  const queues = {
    write: makeFairQueue<WaitingCall>(),
    read: makeFairQueue<WaitingCall>(),
    verification: makeFairQueue<WaitingCall>(),
  };
  const waiting = new Set<WaitingCall>();
  let reduced = { to: maxPerSecond, at: 0 };
  let dispatcherCalledAt = Number.NEGATIVE_INFINITY;
  let verificationServedAt = Number.NEGATIVE_INFINITY;
  let isServing = false;
  let isClosed = false;

  function perSecond(): number {
    const raisedBy = Math.floor((elapsed() - reduced.at) / raiseIntervalMs);
    return Math.min(maxPerSecond, reduced.to + raisedBy);
  }

  function dropOldCalls(): void {
    const secondAgo = elapsed() - 1_000;
    while (sentAt[0] !== undefined && sentAt[0] <= secondAgo) sentAt.shift();
  }

  /** The time until fewer than `most` calls were sent within the last second. */
  function roomInMs(most: number): number {
    dropOldCalls();
    const blockedBy = sentAt[sentAt.length - most];
    return blockedBy === undefined ? 0 : blockedBy + 1_000 - elapsed();
  }

  /** Whether reads have gone before a verification for long enough. */
  function isVerificationDue(): boolean {
    const now = elapsed();
    if (now - verificationServedAt < 1_000) return false;
    const since = now - readsFirstMs;
    return waiting
      .values()
      .some(({ lane, until }) => lane === 'verification' && until - maxVerificationWaitMs <= since);
  }

  /** The calls per second of a lane. With more for verifications, polls and callers would wait for them. */
  const shareOf = (lane: QueuedLane) =>
    lane === 'verification' && !isVerificationDue() ? Math.floor(perSecond() / 2) : perSecond();

  /** The time until the next call of a lane may be sent. */
  function freeInMs(lane: QueuedLane): number {
    const sinceMs = elapsed() - dispatcherCalledAt;
    const isReserved = sinceMs >= 1_000 && sinceMs < dispatcherReserveMs; // within a second it is in sentAt
    return roomInMs(Math.max(1, shareOf(lane) - (isReserved ? 1 : 0)));
  }

  /** The time until the next poll may be sent. */
  function pollInMs(): number {
    const reservedInMs = Math.max(0, dispatcherCalledAt + 1_000 - elapsed());
    const spare = perSecond() - 1; // the next caller does not wait
    const isNeeded = queues.write.size() + queues.read.size() > 0 || spare < 1;
    return isNeeded ? reservedInMs : Math.min(reservedInMs, roomInMs(spare));
  }

  async function waitForPoll(signal: AbortSignal | undefined): Promise<void> {
    for (let waitMs = pollInMs(); waitMs > 0 && !isClosed; waitMs = pollInMs()) {
      await sleep(Math.ceil(waitMs));
      if (signal?.aborted) throw exhausted(waitMs);
    }
    countDispatcher();
  }

  function count(): void {
    dropOldCalls();
    sentAt.push(elapsed());
  }

  function countDispatcher(): void {
    dispatcherCalledAt = elapsed();
    count();
  }

  function estimateWaitMs(lane: QueuedLane, caller: string): number {
    let ahead = queues[lane].aheadOf(caller);
    if (lane !== 'write') ahead += queues.write.size();
    if (lane === 'verification') ahead += queues.read.size();
    return freeInMs(lane) + (1_000 * ahead) / Math.max(1, shareOf(lane));
  }

  function refuse(call: WaitingCall, waitMs: number): void {
    if (!waiting.delete(call)) return;
    queues[call.lane].remove(call.caller, call);
    call.reject(exhausted(waitMs));
  }

  /** The waiting call that is refused first. */
  function firstToEnd(): WaitingCall | undefined {
    let first: WaitingCall | undefined;
    for (const call of waiting) if (!first || call.until < first.until) first = call;
    return first;
  }

  /** Sends waiting calls as the budget allows. Ends when none waits. */
  async function serve(): Promise<void> {
    if (isServing) return;
    isServing = true;
    for (let first = firstToEnd(); first; first = firstToEnd()) {
      const leftMs = first.until - elapsed();
      const waitMs = freeInMs(nextLane());
      if (waitMs <= 0) serveNext();
      else if (leftMs <= 0) refuse(first, waitMs);
      else await sleep(Math.ceil(Math.min(waitMs, leftMs)));
    }
    isServing = false;
  }

  function nextLane(): QueuedLane {
    if (queues.write.size() > 0) return 'write';
    if (isVerificationDue()) return 'verification';
    return queues.read.size() > 0 ? 'read' : 'verification';
  }

  function serveNext(): void {
    const lane = nextLane();
    const next = queues[lane].shift();
    if (!next) return;
    if (lane === 'verification') verificationServedAt = elapsed();
    waiting.delete(next);
    count();
    next.resolve();
  }

  return {
    take({ lane, caller = '', signal }) {
      if (lane === 'dispatcher') return void countDispatcher();
      if (lane === 'poll') return pollInMs() > 0 ? waitForPoll(signal) : void countDispatcher();
      const waitMs = estimateWaitMs(lane, caller);
      const maxMs = lane === 'verification' ? maxVerificationWaitMs : maxWaitMs;
      if (isClosed || signal?.aborted || waitMs > maxMs) {
        return Promise.reject(exhausted(waitMs));
      }
      if (waitMs <= 0) return void count();
      const until = elapsed() + maxMs;
      const call: WaitingCall = { ...Promise.withResolvers<void>(), lane, caller, until };
      queues[lane].push(caller, call);
      waiting.add(call);
      const withdraw = () => refuse(call, waitMs);
      signal?.addEventListener('abort', withdraw);
      void serve();
      return call.promise.finally(() => signal?.removeEventListener('abort', withdraw));
    },
    count,
    reduce() {
      if (elapsed() - reduced.at < 1_000 && reduced.to < maxPerSecond) return; // throttled within the same second
      reduced = { to: Math.max(1, Math.floor(perSecond() / 2)), at: elapsed() };
    },
    [Symbol.dispose]() {
      isClosed = true;
      for (const call of waiting) refuse(call, 0);
    },
  };
}

function exhausted(waitMs: number): Problem {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return new Problem(
    'aws-call-budget-exhausted',
    `The calls before yours take at least ${seconds} s. AWS was not called.`,
    { retryAfterSeconds: seconds },
  );
}
