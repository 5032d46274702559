import type { Evidence, Violation } from './checker.ts';
import { chaosLimits } from './shortened-limits.ts';

/** Where the exports of a target run. */
export interface TargetPlace {
  name: string;
  accountId: string;
  region: string;
}

/** A time in which no replica had a target in its configuration. Epoch ms. */
export interface Absence {
  target: string;
  from: number;
  until: number;
}

// A start that has begun when its target is removed is seen through. It needs a lease.
const startMs = chaosLimits.leaseMs;

/** Each task runs at its target, and no create is sent for a target that was removed. */
export function checkTargets(evidence: Evidence): Violation[] {
  const { targets, absences, attempts, tasks, observedCreates } = evidence;
  const places = new Map(targets.map((target) => [target.name, target]));
  const ofMarker = new Map(attempts.map((attempt) => [attempt.marker, attempt.target]));
  const unlawful = (invariant: string, text: string) =>
    ({ invariant, kind: 'unlawful', text }) as const;
  return [
    ...tasks.flatMap(({ taskId, taskName = '', accountId, region }) => {
      const name = ofMarker.get(taskName);
      if (name === undefined) return [];
      const place = places.get(name);
      if (place?.accountId === accountId && place.region === region) return [];
      return [unlawful('INV13', `task ${taskId} of target ${name} ran in ${accountId} ${region}`)];
    }),
    ...observedCreates.flatMap(({ marker, at }) =>
      absences
        .filter(({ target, from, until }) => {
          return target === ofMarker.get(marker) && at > from + startMs && at < until;
        })
        .map(({ target }) =>
          unlawful('INV14', `${marker} was sent for ${target} after its removal`),
        ),
    ),
  ];
}
