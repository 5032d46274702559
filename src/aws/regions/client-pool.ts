import { StandardRetryStrategy } from '@smithy/core/retry';

import type { AttemptListener } from '../client/attempts.ts';
import type { CallKeys } from '../sessions/credentials.ts';
import { callAs } from './calling-target.ts';
import { makePlaces, type PlaceLimits } from './places.ts';
import type { SharedClient } from './shared-client.ts';

/** A target as the user of a pool. */
interface PoolUser {
  /** Identifies the target: its calls share places and a quota of retries. */
  holder: object;
  /** The credentials of this call. */
  keys: CallKeys;
  /** Receives what the SDK does on its own. */
  attempts?: AttemptListener | undefined;
  /** Aborts when the time of the call is over. */
  signal: AbortSignal;
}

/** Calls of one kind in one Region: one client for all targets, and places for calls in flight. */
export interface ClientPool<Client> {
  /**
   * Makes a call in the name of a target.
   * @throws an error if the signal aborts before the call has a place
   */
  call<Answer>(user: PoolUser, send: (client: Client) => Promise<Answer>): Promise<Answer>;
}

/** Makes a pool over a client. */
export function makeClientPool<Client>(
  client: SharedClient<Client>,
  { attempts: maxAttempts, ...limits }: PlaceLimits & { attempts: number },
): ClientPool<Client> {
  const places = makePlaces(limits);
  const retriesByHolder = new WeakMap<object, StandardRetryStrategy>();

  function retriesOf(holder: object): StandardRetryStrategy {
    const known = retriesByHolder.get(holder);
    if (known) return known;
    const retries = new StandardRetryStrategy(maxAttempts);
    retriesByHolder.set(holder, retries);
    return retries;
  }

  return {
    call: ({ holder, keys, attempts, signal }, send) =>
      places.hold(holder, signal, () =>
        client.use((shared) =>
          callAs({ keys, attempts, retries: retriesOf(holder) }, () => send(shared)),
        ),
      ),
  };
}
