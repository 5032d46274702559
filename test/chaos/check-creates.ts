import type { Evidence, OurTask, Row, Violation } from './checker.ts';

/** Each create was sent once, after its intent was in the database. */
export function checkCreates(
  { observedCreates, attempts, events }: Evidence,
  ours: OurTask[],
): Violation[] {
  const unlawful = (invariant: string, text: string) =>
    ({ invariant, kind: 'unlawful', text }) as const;
  const byMarker = Map.groupBy(observedCreates, ({ marker }) => marker);
  return [
    ...observedCreates
      .filter(({ isIntentKnown }) => isIntentKnown === false)
      .map(({ marker }) =>
        unlawful('INV10', `${marker} was sent before its intent was in the database`),
      ),
    ...ours
      .filter(({ attempt, isOrphan }) => !attempt && !isOrphan)
      .map(({ task }) => unlawful('INV10', `task ${task.taskId} has no attempt`)),
    ...[...byMarker.values()]
      .filter((sent) => sent.length > 1 || !sent[0]?.attempt.startsWith('attempt=1;'))
      .map(([first]) => unlawful('INV12', `${first?.marker} was sent more than once`)),
    ...attempts
      .filter(isSlotTaken)
      .flatMap((refused) =>
        attempts
          .filter((other) => other !== refused && isUnknownDuring(other, refused, events))
          .map(({ marker }) =>
            unlawful(
              'INV12',
              `${refused.marker} was recorded as refused while the outcome of ${marker} was unknown`,
            ),
          ),
      ),
  ];
}

const isSlotTaken = ({ problem }: Row<'attempts'>) =>
  problem !== null && JSON.parse(problem).awsErrorCode === 'LimitExceededException';

/** Whether the outcome of an attempt was unknown when another attempt was refused. */
function isUnknownDuring(
  other: Row<'attempts'>,
  refused: Row<'attempts'>,
  events: Row<'events'>[],
): boolean {
  if (other.target !== refused.target || other.submittedAt > refused.submittedAt) return false;
  const found = events.find(
    ({ jobId, type, data }) =>
      type === 'slice-running' &&
      jobId === other.jobId &&
      JSON.parse(data).slice === other.slice &&
      JSON.parse(data).attempt === other.attempt,
  );
  const knownAt = found?.at ?? other.endedAt ?? Number.POSITIVE_INFINITY;
  return knownAt > refused.submittedAt;
}
