import { setTimeout as delay } from 'node:timers/promises';

import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { insertHourlyJob } from '../../export-jobs/insert-hourly-job.ts';
import type { Violation } from '../checker.ts';
import { type Cluster, openCluster } from '../cluster.ts';
import { targetsInRegions } from '../cluster-targets.ts';
import { evaluate } from '../evaluate.ts';
import type { ScenarioOptions, ScenarioReport } from '../scenario.ts';

type CreateFault = Fault extends infer Kind
  ? Kind extends Fault
    ? Omit<Kind, 'operation'>
    : never
  : never;

const error = (code: string, status = 400) => ({ kind: 'error', code, status }) as const;

/** The ways in which every attempt of one caller fails, each at a target of its own. */
const failureKinds: readonly { name: string; fault: CreateFault }[] = [
  { name: '500', fault: error('InternalFailure', 500) },
  { name: '503', fault: error('ServiceUnavailableException', 503) },
  { name: 'a reset', fault: { kind: 'reset-before' } },
  { name: 'a timeout', fault: { kind: 'silence-before' } },
  { name: 'OperationAborted', fault: error('OperationAbortedException') },
  { name: 'ResourceAlreadyExists', fault: error('ResourceAlreadyExistsException') },
  { name: 'an unknown code', fault: error('SomethingNewException') },
  { name: '200 without a task', fault: { ...error('None', 200), rawBody: '{}' } },
  { name: 'a role without permission', fault: error('AccessDeniedException') },
  { name: 'a task that fails', fault: { kind: 'task-fails' } },
];

// Fewer: the two attempts in flight are too large a part of the measurement.
const minSlices = 150;
const poisonedSlices = 6;
const callers = ['ann', 'bob', 'cem'];
const maxSlowdown = 1.2;

/**
 * The slices of one caller fail in one of ten ways, with a higher priority than all others. The slices of
 * other callers may take at most 1.2 times as long as without them.
 */
export async function runPoisonJobs(options: ScenarioOptions): Promise<ScenarioReport> {
  const { serverUrl, signal, onProgress } = options;
  const slices = Math.max(minSlices, options.count);
  await using cluster = await openCluster({
    serverUrl,
    signal,
    targets: targetsInRegions(failureKinds.length),
    emulator: { pendingMs: 0, runningMs: 300 },
  });
  for (const [index, { fault }] of failureKinds.entries()) {
    const { region } = targetOf(cluster, index);
    cluster.emulator.seed.logGroup({ region, logGroupName: poisoned(index) });
    const always = { operation: 'CreateExportTask', logGroupName: poisoned(index), count: 1e9 };
    cluster.emulator.faults.add({ ...fault, ...always } as Fault);
  }

  const without = await measure(cluster, slices, signal);
  onProgress(slices / 2);
  for (const index of failureKinds.keys()) {
    const job = { caller: 'poisoned', priority: 5, slices: poisonedSlices };
    cluster.expectedToFail.add(
      await put(cluster, index, { ...job, logGroupName: poisoned(index) }),
    );
  }
  const during = await measure(cluster, slices, signal);

  const evaluation = await evaluate(cluster, signal);
  const slowdowns = failureKinds.map((_, index) => (during[index] ?? 0) / (without[index] ?? 1));
  const delayed = slowdowns.flatMap((factor, index): Violation[] => {
    if (factor <= maxSlowdown) return [];
    const text = `during ${failureKinds[index]?.name}, others took ${factor.toFixed(2)} times as long`;
    return [{ invariant: 'fairness', kind: 'stuck', text }];
  });
  return {
    ...evaluation,
    trials: failureKinds.length,
    kills: 0,
    hitsInStarting: 0,
    violations: [...evaluation.violations, ...delayed],
    notes: failureKinds.map(
      ({ name }, index) =>
        `during ${name}, ${slices} slices of others took ${slowdowns[index]?.toFixed(2)} times ${seconds(without[index])}`,
    ),
  };
}

const poisoned = (index: number) => `/poisoned-${index}`;
const seconds = (ms = 0) => `${(ms / 1_000).toFixed(1)} s`;

function targetOf({ targets }: Cluster, index: number) {
  const target = targets[index];
  if (!target) throw new Error('Each kind of failure has a target of its own.');
  return target;
}

async function put(cluster: Cluster, index: number, job: Parameters<typeof insertHourlyJob>[1]) {
  const { name: target, region } = targetOf(cluster, index);
  const id = await insertHourlyJob(cluster.database, {
    ...job,
    target,
    destination: `archive-${region}`,
    verification: 'objects',
  });
  cluster.accepted.push(id);
  return id;
}

/** Lets three callers export slices at every target. Returns the duration at each, in milliseconds. */
async function measure(cluster: Cluster, slices: number, signal: AbortSignal): Promise<number[]> {
  const jobs = await Promise.all(
    failureKinds.map(async (_, index) =>
      Promise.all(
        callers.map((caller) =>
          put(cluster, index, { caller, slices: Math.ceil(slices / callers.length) }),
        ),
      ),
    ),
  );
  const beganAt = performance.now();
  return Promise.all(jobs.map((ids) => untilEnded(cluster, ids, signal, beganAt)));
}

async function untilEnded(
  { database }: Cluster,
  jobIds: string[],
  signal: AbortSignal,
  beganAt: number,
): Promise<number> {
  for (;;) {
    signal.throwIfAborted();
    const open = await database.queries
      .selectFrom('slices')
      .select('number')
      .where('jobId', 'in', jobIds)
      .where('state', 'not in', ['completed', 'failed', 'cancelled', 'split'])
      .limit(1)
      .executeTakeFirst();
    if (!open) return performance.now() - beganAt;
    await delay(200);
  }
}
