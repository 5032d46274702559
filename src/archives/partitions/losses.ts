import { type ExpiryFacts, lostUntil } from '#coverage/ledger/exportable.ts';
import type { Window } from '#time/window.ts';
import { gapsOf } from './gaps.ts';
import type { WantedWindow } from './wanted.ts';

/** Why log events can no longer be exported. */
export type LossCause = 'retention' | 'log-group-deleted';

/** A time of a log group that can no longer be exported. */
export interface Loss extends Window {
  cause: LossCause;
}

/**
 * Yields the wanted time that can no longer be exported, the oldest first. `known` has the ranges of the ledger and
 * the windows of exports that go on, in the order of time. Before `openFrom` everything wanted is in a range.
 */
export function* lossesOf(
  facts: ExpiryFacts & { wanted: readonly WantedWindow[]; openFrom: number },
  known: readonly Window[],
): Generator<Loss> {
  const { wanted, goneAt, openFrom } = facts;
  const expiredAt = Math.max(openFrom, lostUntil(facts));
  const within = (fromAt: number, toAt: number) =>
    fromAt < toAt ? gapsOf(wanted, known, { fromAt, toAt }) : [];
  for (const { fromAt, toAt } of within(openFrom, expiredAt))
    yield { fromAt, toAt, cause: 'retention' };
  if (goneAt === null) return;
  for (const { fromAt, toAt } of within(expiredAt, goneAt))
    yield { fromAt, toAt, cause: 'log-group-deleted' };
}
