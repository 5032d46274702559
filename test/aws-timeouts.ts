import type { Emulator } from 'cloudwatch-logs-export-emulator/source';
import { vi } from 'vitest';
import type { AwsTimeouts } from '#aws/client/timeouts.ts';

/**
 * Timeouts of calls to AWS in tests. Shorter: a call on a slow machine times out. Longer: a few of them,
 * skipped within one request, exceed the time limit of `fetch`. Tests of timeouts skip them.
 */
export const longTimeouts: AwsTimeouts = { connectMs: 20_000, createMs: 20_000, readMs: 20_000 };

const isSilent = ({ status, fault }: ReturnType<Emulator['journal']['entries']>[number]) =>
  status === 'silence' || fault?.kind === 'stall-body';

/** Skips the timeouts of the SDK while AWS leaves a call without an answer. */
export interface TimeoutSkipper extends Disposable {
  /** From now on, a call that AWS has received and does not answer times out at once. */
  skipAt(emulator: Emulator): void;
}

/**
 * Replaces the timers of this process. Open it before anything sets a timer. Timers follow real time, and
 * skip the timeouts of the SDK when AWS has received a call that it does not answer. So such tests are
 * fast, and a slow machine causes no timeout.
 */
export function openTimeoutSkipper(): TimeoutSkipper {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  let polling: NodeJS.Timeout | undefined;
  return {
    skipAt(emulator) {
      const received = new Set<string>();
      polling = setInterval(() => {
        const calls = emulator.journal.entries().filter(isSilent);
        const newCalls = calls.filter(({ requestId }) => !received.has(requestId));
        if (newCalls.length === 0) return;
        for (const { requestId } of newCalls) received.add(requestId);
        // A stalled answer has begun, so only the deadline of the whole call ends it.
        const hasBegun = newCalls.some(({ status }) => status !== 'silence');
        const ms = longTimeouts.createMs + (hasBegun ? longTimeouts.connectMs : 0);
        setImmediate(() => vi.advanceTimersByTime(ms));
      }, 2);
    },
    [Symbol.dispose]() {
      clearInterval(polling);
      vi.useRealTimers();
    },
  };
}
