import { setTimeout as delay } from 'node:timers/promises';

import type { ClientCall } from './check-calls.ts';
import { check, type Evidence, type Violation } from './checker.ts';
import { chaosLimits } from './limits.ts';
import type { Stage } from './stage.ts';

/** What a scenario found, and what it cost. */
export interface Verdict {
  violations: Violation[];
  slices: number;
  strays: number;
  /** Creates whose intent could not be looked up, because the database was away. */
  unseen: number;
  /** The longest a slice was in `starting`, in ms. */
  longestStartMs: number;
  /** Where the log of the replicas is kept, when something was found. */
  logPath?: string;
}

// The longest pause after refusals in a row.
const backOffMs = 61_000;
// A line in which nothing was written for so long will not move by itself any more.
const standstillMs = backOffMs + chaosLimits.reconcileMs + 15_000;
// Until the sweeper has been everywhere.
const sweptMs = 3 * chaosLimits.sweepIntervalMs;
const orphansWithinMs = 120_000;

/** Waits until nothing moves any more, ends the replicas and judges. */
export async function evaluate(
  stage: Stage,
  signal: AbortSignal,
  calls: ClientCall[] = [],
): Promise<Verdict> {
  await untilAtRest(stage, signal);
  signal.throwIfAborted(); // there is nothing to evaluate
  await delay(sweptMs);
  const until = performance.now() + orphansWithinMs;
  while (performance.now() < until && !signal.aborted) {
    const isSwept = check(await gather(stage, calls)).every(
      ({ invariant }) => invariant !== 'INV2',
    );
    if (isSwept) break;
    await delay(500);
  }
  await Promise.all(stage.replicas.map((replica) => replica.end()));
  const evidence = await gather(stage, calls);
  const accidents = stage.accidents.map(
    (text): Violation => ({ invariant: 'process', kind: 'unlawful', text }),
  );
  const violations = [...check(evidence), ...accidents];
  if (violations.length > 0) stage.keepLog();
  return {
    violations,
    slices: evidence.slices.length,
    strays: evidence.strays.length,
    unseen: stage.sightings.filter(({ isIntentKnown }) => isIntentKnown === undefined).length,
    longestStartMs: longestStart(evidence),
    ...(violations.length > 0 && { logPath: stage.logPath }),
  };
}

async function untilAtRest({ database }: Stage, signal: AbortSignal): Promise<void> {
  let seen = -1;
  let movedAt = performance.now();
  while (!signal.aborted && performance.now() - movedAt < standstillMs) {
    const { open } = await database.queries
      .selectFrom('slices')
      .select((of) => of.fn.countAll<number>().as('open'))
      .where('state', 'not in', ['completed', 'failed', 'cancelled'])
      .executeTakeFirstOrThrow();
    if (open === 0) return;
    const { events } = await database.queries
      .selectFrom('events')
      .select((of) => of.fn.countAll<number>().as('events'))
      .executeTakeFirstOrThrow();
    if (events !== seen) movedAt = performance.now();
    seen = events;
    await delay(100);
  }
}

/** Everything there is on record. */
async function gather(stage: Stage, calls: ClientCall[]): Promise<Evidence> {
  const { database, emulator, accepted, cancelled, doomed, sightings } = stage;
  const { queries } = database;
  const { id } = await queries.selectFrom('installation').select('id').executeTakeFirstOrThrow();
  return {
    installation: id,
    accepted,
    cancelled,
    doomed,
    calls,
    sightings,
    tasks: emulator.exportTasks(),
    jobs: await queries.selectFrom('jobs').selectAll().execute(),
    slices: await queries.selectFrom('slices').selectAll().execute(),
    attempts: await queries.selectFrom('attempts').selectAll().execute(),
    events: await queries.selectFrom('events').selectAll().execute(),
    strays: await queries.selectFrom('strays').selectAll().execute(),
    idempotencyKeys: await queries.selectFrom('idempotencyKeys').selectAll().execute(),
    auditEntries: await queries.selectFrom('auditEntries').selectAll().execute(),
  };
}

function longestStart({ events }: Evidence): number {
  const began = new Map<string, number>();
  let longestMs = 0;
  for (const { jobId, at, type, data } of events.toSorted(
    (one, other) => one.version - other.version,
  )) {
    const key = `${jobId} ${JSON.parse(data).slice}`;
    const since = began.get(key);
    if (since !== undefined) longestMs = Math.max(longestMs, at - since);
    if (type === 'slice-starting') began.set(key, at);
    else began.delete(key);
  }
  return longestMs;
}
