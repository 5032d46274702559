import { setTimeout as delay } from 'node:timers/promises';

import type { ClientCall } from './check-calls.ts';
import { check, type Evidence, type Violation } from './checker.ts';
import type { Cluster } from './cluster.ts';
import { bucketOf } from './cluster-targets.ts';
import { readEvidence } from './read-evidence.ts';
import { readObjects } from './read-objects.ts';
import { chaosLimits } from './shortened-limits.ts';

/** The result of a scenario. */
export interface Evaluation {
  violations: Violation[];
  slices: number;
  /** Tasks that the orphan sweep has found. */
  orphans: number;
  /** Creates whose intent could not be looked up, because the database was unavailable. */
  unverified: number;
  /** The longest time a slice was in `starting`, in milliseconds. */
  longestStartMs: number;
  /** The log of the replicas; present when there are violations. */
  logPath?: string;
}

// The longest pause after repeated refusals.
const backOffMs = 61_000;
// Without an event for this long, the queues are stuck.
const standstillMs = backOffMs + chaosLimits.reconcileMs + 15_000;
// The time of a complete orphan sweep.
const sweepMs = 3 * chaosLimits.sweepIntervalMs;
const maxOrphanWaitMs = 120_000;

/** Waits until all slices have ended, ends the replicas and checks the records. */
export async function evaluate(
  cluster: Cluster,
  signal: AbortSignal,
  calls: ClientCall[] = [],
): Promise<Evaluation> {
  await waitUntilIdle(cluster, signal);
  signal.throwIfAborted(); // an aborted run has no result
  await delay(sweepMs);
  const until = performance.now() + maxOrphanWaitMs;
  while (performance.now() < until && !signal.aborted) {
    const isSwept = check(await readEvidenceOf(cluster, calls)).every(
      ({ invariant }) => invariant !== 'INV2',
    );
    if (isSwept) break;
    await delay(500);
  }
  await Promise.all(cluster.replicas.map((replica) => replica.end()));
  const buckets = cluster.targets.map(bucketOf);
  const objects = await readObjects(cluster.emulator, buckets);
  const evidence = { ...(await readEvidenceOf(cluster, calls)), objects };
  const processFailures = cluster.processFailures.map(
    (text): Violation => ({ invariant: 'process', kind: 'unlawful', text }),
  );
  const violations = [...check(evidence), ...processFailures];
  if (violations.length > 0) cluster.keepLog();
  return {
    violations,
    slices: evidence.slices.length,
    orphans: evidence.orphans.length,
    unverified: cluster.observedCreates.filter(({ isIntentKnown }) => isIntentKnown === undefined)
      .length,
    longestStartMs: longestStart(evidence),
    ...(violations.length > 0 && { logPath: cluster.logPath }),
  };
}

async function waitUntilIdle({ database }: Cluster, signal: AbortSignal): Promise<void> {
  let lastEvents = -1;
  let changedAt = performance.now();
  while (!signal.aborted && performance.now() - changedAt < standstillMs) {
    const { open } = await database.queries
      .selectFrom('slices')
      .select((of) => of.fn.countAll<number>().as('open'))
      .where('state', 'not in', ['completed', 'failed', 'cancelled', 'split'])
      .executeTakeFirstOrThrow();
    if (open === 0) return;
    const { events } = await database.queries
      .selectFrom('events')
      .select((of) => of.fn.countAll<number>().as('events'))
      .executeTakeFirstOrThrow();
    if (events !== lastEvents) changedAt = performance.now();
    lastEvents = events;
    await delay(100);
  }
}

function readEvidenceOf(cluster: Cluster, calls: ClientCall[]): Promise<Evidence> {
  const { database, emulator, accepted, cancelled, expectedToFail, observedCreates } = cluster;
  const { targets, absences, hasOldReplicas } = cluster;
  return readEvidence(database, {
    accepted,
    cancelled,
    expectedToFail,
    calls,
    observedCreates,
    tasks: emulator.exportTasks(),
    targets,
    absences,
    hasOldReplicas,
  });
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
