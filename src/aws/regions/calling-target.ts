import { AsyncLocalStorage } from 'node:async_hooks';
import type { StandardRetryStrategy } from '@smithy/core/retry';

import type { AttemptListener } from '../client/attempts.ts';
import type { CallKeys } from '../sessions/credentials.ts';

/** What a call through a shared client takes from its target. */
interface CallingTarget {
  keys: CallKeys;
  /** The quota of retries. One target that fails must not use up that of others. */
  retries: StandardRetryStrategy;
  attempts?: AttemptListener | undefined;
}

const targets = new AsyncLocalStorage<CallingTarget>();

/** Makes a call in the name of a target. */
export function callAs<Answer>(target: CallingTarget, call: () => Promise<Answer>) {
  return targets.run(target, call);
}

function current(): CallingTarget {
  const target = targets.getStore();
  if (!target) throw new Error('a call of a shared AWS client belongs to no target');
  return target;
}

/**
 * The credentials of the target that makes the current call. `memoized` turns off the cache of the SDK,
 * which would sign the calls of one target with the keys of another.
 */
export const keysOfTarget = Object.assign(async () => current().keys, { memoized: true as const });

/** The quota of retries of the target that makes the current call. It overrides AWS_RETRY_MODE. */
export const retriesOfTarget = async () => current().retries;

/** Reports to the budget of the target that makes the current call. */
export const attemptsOfTarget: AttemptListener = {
  count: () => current().attempts?.count(),
  reduce: () => current().attempts?.reduce(),
};
