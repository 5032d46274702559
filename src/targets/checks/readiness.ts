import type { AbortableSleep } from '#time/sleep.ts';
import type { TargetState } from '../target.ts';

// How long the first checks may keep the service from being ready. Shorter: callers meet 503s that a
// moment later would be answers. Longer: one account that hangs keeps the service closed.
const maxFirstChecksMs = 10_000;

/** Whether the targets allow the service to be ready. Once they do, it stays so. */
export interface TargetReadiness {
  whenReady: Promise<void>;
  /** Called after each change of a state. */
  update(): void;
  /** The service can never be ready. */
  fail(error: Error): void;
  whyNot(): string | undefined;
}

/**
 * Makes the readiness: every target was tried once, or ten seconds have passed, and one is ready. Without
 * the last condition, a deployment whose roles are all broken would replace a working one.
 */
export function makeTargetReadiness(options: {
  count: (state: TargetState) => number;
  sleep: AbortableSleep;
  stop: AbortSignal;
}): TargetReadiness {
  const { count, sleep, stop } = options;
  const { promise: whenReady, resolve, reject } = Promise.withResolvers<void>();
  whenReady.catch(() => {}); // the caller that awaits it gets the error
  let isReady = false;
  let isTimeOver = false;

  function update(): void {
    isReady ||= count('ready') > 0 && (isTimeOver || count('unchecked') === 0);
    if (isReady) resolve();
  }

  void sleep(maxFirstChecksMs, stop).then(() => {
    isTimeOver = true;
    update();
  });

  return {
    whenReady,
    update,
    fail: reject,
    // Anyone can ask, so it names no target. The log does.
    whyNot() {
      if (isReady) return undefined;
      const unchecked = count('unchecked');
      const unusable = count('unusable');
      const total = unchecked + count('ready') + unusable;
      if (unchecked === 0 || isTimeOver)
        return `No target is ready, and ${unusable} of ${total} are unusable. The log says why.`;
      return `The service has not checked the accounts of ${unchecked} of ${total} targets with STS yet.`;
    },
  };
}
