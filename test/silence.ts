import type { Emulator } from 'cloudwatch-logs-export-emulator/source';
import { vi } from 'vitest';
import type { AwsTimeouts } from '#aws/client/timeouts.ts';

/**
 * So long that none passes because the machine is slow; a test of silence does not wait for them. Longer,
 * and several of them, skipped within one request, are more than `fetch` waits for an answer.
 */
export const longTimeouts: AwsTimeouts = { connectMs: 20_000, createMs: 20_000, readMs: 20_000 };

const isSilent = ({ status, fault }: ReturnType<Emulator['journal']['entries']>[number]) =>
  status === 'silence' || fault?.kind === 'stall-body';

/** A time for timers that can be turned on while AWS says nothing. */
export interface Silence extends Disposable {
  /** From now on a call that AWS has heard and leaves without an answer has been waited for long enough. */
  passAt(emulator: Emulator): void;
}

/**
 * Takes over the timers of this process; open it before whatever sets one. They run with real time,
 * and skip the timeouts of the SDK each time AWS has heard a call that it leaves without an answer. So
 * silence is short, and a slow machine is not taken for it.
 */
export function openSilence(): Silence {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true });
  let looking: NodeJS.Timeout | undefined;
  return {
    passAt(emulator) {
      const heard = new Set<string>();
      looking = setInterval(() => {
        const calls = emulator.journal.entries().filter(isSilent);
        const news = calls.filter(({ requestId }) => !heard.has(requestId));
        if (news.length === 0) return;
        for (const { requestId } of news) heard.add(requestId);
        // The beginning of a stalled answer has come by then, and only the deadline of all ends it.
        const hasBegun = news.some(({ status }) => status !== 'silence');
        const ms = longTimeouts.createMs + (hasBegun ? longTimeouts.connectMs : 0);
        setImmediate(() => vi.advanceTimersByTime(ms));
      }, 2);
    },
    [Symbol.dispose]() {
      clearInterval(looking);
      vi.useRealTimers();
    },
  };
}
