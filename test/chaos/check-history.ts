import type { Evidence, Row, Violation } from './checker.ts';

// The allowed transitions of a slice by design, independent of the code under test.
const transitions: Record<string, readonly string[]> = {
  waiting: ['starting', 'failed', 'cancelled'],
  starting: ['running', 'waiting', 'failed', 'cancelled'],
  absent: ['waiting'],
  running: ['cancelling', 'verifying', 'failed', 'waiting', 'cancelled', 'split'],
  cancelling: ['cancelled', 'verifying', 'failed', 'waiting', 'split'],
  verifying: ['completed', 'failed', 'waiting', 'cancelled'],
  completed: [],
  failed: ['waiting'],
  cancelled: [],
  split: [],
};

interface ReplayedSlice {
  logGroupName: string;
  isChild: boolean;
  state: string;
  attempt: number;
}

// A replica of the version before verifications leaves them out.
const olderTransitions: typeof transitions = {
  ...transitions,
  running: [...(transitions.running ?? []), 'completed'],
  cancelling: [...(transitions.cancelling ?? []), 'completed'],
};

/** Replays the events of every job: only allowed transitions, no gaps, and the final states equal the rows. */
export function checkHistory({ jobs, slices, events, hasOldReplicas }: Evidence): Violation[] {
  const lawful = hasOldReplicas ? olderTransitions : transitions;
  const eventsOf = Map.groupBy(events, ({ jobId }) => jobId);
  const slicesOf = Map.groupBy(slices, ({ jobId }) => jobId);
  return jobs.flatMap(({ id, version }) => {
    const history = (eventsOf.get(id) ?? []).toSorted((one, other) => one.version - other.version);
    return [
      ...checkVersions(history, version),
      ...reapply(history, slicesOf.get(id) ?? [], lawful),
    ].map(
      (text): Violation => ({ invariant: 'INV5', kind: 'unlawful', text: `job ${id}: ${text}` }),
    );
  });
}

function checkVersions(history: Row<'events'>[], version: number): string[] {
  const isComplete =
    history.length === version && history.every((event, index) => event.version === index + 1);
  return isComplete
    ? []
    : [`version ${version}, but events ${history.map((event) => event.version)}`];
}

function reapply(
  history: Row<'events'>[],
  rows: Row<'slices'>[],
  lawful: typeof transitions,
): string[] {
  const slices = new Map<number, ReplayedSlice>(
    rows.map(({ number, logGroupName, parent }) => [
      number,
      {
        logGroupName,
        isChild: parent !== null,
        state: parent === null ? 'waiting' : 'absent',
        attempt: 0,
      },
    ]),
  );
  const texts = history.flatMap((event) => apply(event, slices, lawful));
  const differences = rows.flatMap(({ number, state, attempt }) => {
    const replayed = slices.get(number);
    if (replayed?.state === state && replayed.attempt === attempt) return [];
    return [`slice ${number} is ${state}, but ${replayed?.state} by its events`];
  });
  return [...texts, ...differences];
}

function apply(
  { type, data }: Row<'events'>,
  slices: Map<number, ReplayedSlice>,
  lawful: typeof transitions,
): string[] {
  const facts = JSON.parse(data);
  const all = (from: string, to: string) => {
    for (const replayed of slices.values()) {
      const isConcerned = [undefined, replayed.logGroupName].includes(facts.logGroupName);
      if (replayed.state === from && isConcerned) replayed.state = to;
    }
    return [];
  };
  if (type === 'slices-cancelled') return all('waiting', 'cancelled');
  if (type === 'slices-retried') return all('failed', 'waiting');
  if (type === 'slices-failed') return all('waiting', 'failed');
  if (!type.startsWith('slice-')) return [];

  const { slice, attempt } = facts;
  const replayed = slices.get(slice);
  const to = type.slice('slice-'.length);
  if (!replayed) return [`${type} of slice ${slice}, which does not exist`];
  const { state } = replayed;
  // The children of a slice count their attempts together.
  const isCountedOn = replayed.isChild && to === 'starting' && attempt > replayed.attempt;
  const next = isCountedOn ? attempt : replayed.attempt + 1;
  const expected = to === 'starting' ? next : replayed.attempt;
  Object.assign(replayed, { state: to, attempt });
  if (!lawful[state]?.includes(to)) return [`slice ${slice} went from ${state} to ${to}`];
  for (const number of to === 'split' ? facts.children : []) {
    const child = slices.get(number);
    if (child?.state !== 'absent') return [`slice ${number} exists before its parent is split`];
    Object.assign(child, { state: 'waiting', attempt });
  }
  if (attempt !== expected)
    return [`slice ${slice}: ${type} of attempt ${attempt} after ${expected}`];
  return [];
}
