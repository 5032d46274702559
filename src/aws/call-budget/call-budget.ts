import { Problem } from '#problems/problem.ts';
import { makeFairQueue } from './fair-queue.ts';

/**
 * Who goes first. The dispatcher never waits: it keeps its own pace of a call a second. Writes are
 * creates and cancels, and the reads that find out what became of one.
 */
export type Lane = 'dispatcher' | 'write' | 'read';

/** For whom a call is to be made. */
export interface CallClaim {
  lane: Lane;
  /** The id of the caller; the gateway itself when absent. */
  caller?: string | undefined;
  /** Aborts when nobody waits for the call any more. */
  signal?: AbortSignal | undefined;
}

/** The calls to AWS that one target has in a second. */
export interface CallBudget extends Disposable {
  /**
   * Takes a call out of the budget; `undefined` when it may be sent at once.
   * @throws Problem aws-call-budget-exhausted
   */
  take(claim: CallClaim): Promise<void> | undefined;
  /** Counts a call that nobody has taken, such as a second attempt of the SDK. */
  count(): void;
  /** Says that AWS has throttled a call: others use its quota, too. */
  reduce(): void;
}

/** What a budget goes by; times in milliseconds. */
export interface CallBudgetOptions {
  /** 0 is any number. */
  callsPerSecond: number;
  /** A clock that only goes forward. */
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
}

// Longer, and a read that has waited has no time left for AWS before the HTTP side gives up;
// shorter, and a few callers who come at once are refused. It bounds the queues, too: no more wait
// than can be sent in this time, of one caller or of as many callers.
const longestWaitMs = 2_000;
// After AWS has throttled us, one more call a second each so often. Sooner, and replicas that share
// a quota overrun it again and again; later, and they leave it unused for minutes.
const raiseEveryMs = 10_000;

// How long after a call of the dispatcher one call a second is kept free for it. Shorter, and it
// overruns the budget each time it looks again at a task that takes long.
const keptForMs = 20_000;

interface Turn extends PromiseWithResolvers<void> {
  lane: 'write' | 'read';
  caller: string;
  until: number;
}

/** Makes the budget of one target. */
export function makeCallBudget(options: CallBudgetOptions): CallBudget {
  const { elapsed, sleep } = options;
  const most = options.callsPerSecond || Number.POSITIVE_INFINITY;
  const sentAt: number[] = []; // of the last second
  const queues = { write: makeFairQueue<Turn>(), read: makeFairQueue<Turn>() };
  const waiting = new Set<Turn>(); // in the order of their coming, so of their ends
  let reduced = { to: most, at: 0 };
  let dispatchedAt = Number.NEGATIVE_INFINITY;
  let isServing = false;
  let isClosed = false;

  function perSecond(): number {
    const raisedBy = Math.floor((elapsed() - reduced.at) / raiseEveryMs);
    return Math.min(most, reduced.to + raisedBy);
  }

  function forgetOld(): void {
    const secondAgo = elapsed() - 1_000;
    while (sentAt[0] !== undefined && sentAt[0] <= secondAgo) sentAt.shift();
  }

  /** When the next call of the others may be sent, from now. */
  function freeInMs(): number {
    forgetOld();
    const sinceMs = elapsed() - dispatchedAt;
    const isDispatcherDue = sinceMs >= 1_000 && sinceMs < keptForMs; // else it is counted already
    const free = Math.max(1, perSecond() - (isDispatcherDue ? 1 : 0));
    const before = sentAt[sentAt.length - free];
    return before === undefined ? 0 : before + 1_000 - elapsed();
  }

  function count(): void {
    forgetOld();
    sentAt.push(elapsed());
  }

  function waitOf(lane: Turn['lane'], caller: string): number {
    const { write, read } = queues;
    const ahead = lane === 'write' ? write.aheadOf(caller) : write.size() + read.aheadOf(caller);
    return freeInMs() + (1_000 * ahead) / perSecond();
  }

  function leave(turn: Turn, waitMs: number): void {
    if (!waiting.delete(turn)) return;
    queues[turn.lane].remove(turn.caller, turn);
    turn.reject(exhausted(waitMs));
  }

  /** Gives turns as long as somebody waits; ends by itself. */
  async function serve(): Promise<void> {
    if (isServing) return;
    isServing = true;
    for (let [oldest] = waiting; oldest; [oldest] = waiting) {
      const leftMs = oldest.until - elapsed();
      const waitMs = freeInMs();
      if (waitMs <= 0) serveNext();
      else if (leftMs <= 0) leave(oldest, waitMs);
      else await sleep(Math.ceil(Math.min(waitMs, leftMs)));
    }
    isServing = false;
  }

  function serveNext(): void {
    const next = queues.write.shift() ?? queues.read.shift();
    if (!next) return;
    waiting.delete(next);
    count();
    next.resolve();
  }

  return {
    take({ lane, caller = '', signal }) {
      if (lane === 'dispatcher') {
        dispatchedAt = elapsed();
        return void count();
      }
      const waitMs = waitOf(lane, caller);
      if (isClosed || signal?.aborted || waitMs > longestWaitMs) {
        return Promise.reject(exhausted(waitMs));
      }
      if (waitMs <= 0) return void count();
      const until = elapsed() + longestWaitMs;
      const turn: Turn = { ...Promise.withResolvers<void>(), lane, caller, until };
      queues[lane].push(caller, turn);
      waiting.add(turn);
      signal?.addEventListener('abort', () => leave(turn, waitMs), { once: true });
      void serve();
      return turn.promise;
    },
    count,
    reduce() {
      if (elapsed() - reduced.at < 1_000 && reduced.to < most) return; // of the same second
      reduced = { to: Math.max(1, Math.floor(perSecond() / 2)), at: elapsed() };
    },
    [Symbol.dispose]() {
      isClosed = true;
      for (const turn of waiting) leave(turn, 0);
    },
  };
}

function exhausted(waitMs: number): Problem {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return new Problem(
    'aws-call-budget-exhausted',
    `The calls before yours take at least ${seconds} seconds. AWS was not called.`,
    { retryAfterSeconds: seconds },
  );
}
