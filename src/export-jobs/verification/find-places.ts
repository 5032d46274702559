import type { ClaimedVerification, ClaimScope } from '../store/verifications/claim-verification.ts';

// Verifications at once, in a process and at a target. Fewer: slices of many targets complete late. More: they
// need calls, sockets and memory that everything else needs, too.
const maxAtOnce = 10;
const maxPerTarget = 4;
// A verification of a million objects can last for hours. So the last places are for other callers.
const maxOfCaller = maxAtOnce - 2;
const maxOfCallerPerTarget = maxPerTarget - 1;
// A count can last for an hour, and a target whose S3 does not answer keeps its place until a timeout. They have only
// a part of the places. Otherwise the other verifications would wait for them.
const maxCounts = maxAtOnce / 2;
const maxCountsPerTarget = 2;
const maxOfFailing = maxAtOnce / 2;

/**
 * Finds out which verifications may begin beside those in progress. `failing` has the targets whose last verification
 * has failed. `undefined` when all places are taken.
 */
export function findPlaces(
  running: readonly Pick<ClaimedVerification, 'target' | 'caller' | 'mode'>[],
  failing: ReadonlyMap<string, unknown>,
): Omit<ClaimScope, 'served' | 'draining'> | undefined {
  if (running.length >= maxAtOnce) return undefined;
  const counts = running.filter(({ mode }) => mode === 'count');
  const ofFailing = running.filter(({ target }) => failing.has(target));
  const full = targetsWith(maxPerTarget, running);
  const byCaller = Map.groupBy(running, ({ caller }) => caller);
  return {
    busyCallers: [...byCaller].flatMap(([caller, all]) =>
      all.length < maxOfCaller ? [] : [caller],
    ),
    busyTargetsOf: [...byCaller].map(([caller, all]) => ({
      caller,
      targets: targetsWith(maxOfCallerPerTarget, all),
    })),
    busyTargets: ofFailing.length < maxOfFailing ? full : [...full, ...failing.keys()],
    countedTargets: counts.length < maxCounts ? targetsWith(maxCountsPerTarget, counts) : 'all',
  };
}

function targetsWith(
  places: number,
  running: readonly Pick<ClaimedVerification, 'target'>[],
): string[] {
  const byTarget = Map.groupBy(running, ({ target }) => target);
  return [...byTarget].flatMap(([target, all]) => (all.length < places ? [] : [target]));
}
