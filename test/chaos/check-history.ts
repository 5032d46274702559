import type { Evidence, Row, Violation } from './checker.ts';

// The lawful ways of a slice as they were designed, written down apart from the code under test.
const ways: Record<string, readonly string[]> = {
  waiting: ['starting', 'cancelled'],
  starting: ['running', 'waiting', 'failed', 'cancelled'],
  running: ['cancelling', 'completed', 'failed', 'waiting', 'cancelled'],
  cancelling: ['cancelled', 'completed', 'failed'],
  completed: [],
  failed: ['waiting'],
  cancelled: [],
};

interface Course {
  state: string;
  attempt: number;
}

/** Plays the events of every job again: no step that is not lawful, no gap, and they end where the rows are. */
export function checkHistory({ jobs, slices, events }: Evidence): Violation[] {
  const eventsOf = Map.groupBy(events, ({ jobId }) => jobId);
  const slicesOf = Map.groupBy(slices, ({ jobId }) => jobId);
  return jobs.flatMap(({ id, version }) => {
    const history = (eventsOf.get(id) ?? []).toSorted((one, other) => one.version - other.version);
    return [...checkVersions(history, version), ...playAgain(history, slicesOf.get(id) ?? [])].map(
      (text): Violation => ({ invariant: 'INV5', kind: 'unlawful', text: `job ${id}: ${text}` }),
    );
  });
}

function checkVersions(history: Row<'events'>[], version: number): string[] {
  const isWhole =
    history.length === version && history.every((event, index) => event.version === index + 1);
  return isWhole ? [] : [`version ${version}, but events ${history.map((event) => event.version)}`];
}

function playAgain(history: Row<'events'>[], slices: Row<'slices'>[]): string[] {
  const courses = new Map<number, Course>(
    slices.map(({ number }) => [number, { state: 'waiting', attempt: 0 }]),
  );
  const texts = history.flatMap((event) => play(event, courses));
  const ends = slices.flatMap(({ number, state, attempt }) => {
    const course = courses.get(number);
    if (course?.state === state && course.attempt === attempt) return [];
    return [`slice ${number} is ${state}, by its events it is ${course?.state}`];
  });
  return [...texts, ...ends];
}

function play({ type, data }: Row<'events'>, courses: Map<number, Course>): string[] {
  const all = (from: string, to: string) => {
    for (const course of courses.values()) if (course.state === from) course.state = to;
    return [];
  };
  if (type === 'slices-cancelled') return all('waiting', 'cancelled');
  if (type === 'slices-retried') return all('failed', 'waiting');
  if (!type.startsWith('slice-')) return [];

  const { slice, attempt } = JSON.parse(data);
  const course = courses.get(slice);
  const to = type.slice('slice-'.length);
  if (!course) return [`${type} of slice ${slice}, which it does not have`];
  const { state } = course;
  const expected = to === 'starting' ? course.attempt + 1 : course.attempt;
  Object.assign(course, { state: to, attempt });
  if (!ways[state]?.includes(to)) return [`slice ${slice} went from ${state} to ${to}`];
  if (attempt !== expected)
    return [`slice ${slice}: ${type} of attempt ${attempt} after ${expected}`];
  return [];
}
