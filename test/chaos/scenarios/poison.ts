import { setTimeout as delay } from 'node:timers/promises';

import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { putJob } from '../../export-jobs/put-job.ts';
import type { Violation } from '../checker.ts';
import type { ScenarioOptions, ScenarioReport } from '../scenario.ts';
import { openStage, type Stage } from '../stage.ts';
import { evaluate } from '../verdict.ts';

type CreateFault = Fault extends infer Kind
  ? Kind extends Fault
    ? Omit<Kind, 'operation'>
    : never
  : never;

const error = (code: string, status = 400) => ({ kind: 'error', code, status }) as const;

/** How every attempt of one caller comes to nothing; each at a target of its own. */
const ways: readonly { name: string; fault: CreateFault }[] = [
  { name: '500', fault: error('InternalFailure', 500) },
  { name: '503', fault: error('ServiceUnavailableException', 503) },
  { name: 'a reset', fault: { kind: 'reset-before' } },
  { name: 'silence', fault: { kind: 'silence-before' } },
  { name: 'OperationAborted', fault: error('OperationAbortedException') },
  { name: 'ResourceAlreadyExists', fault: error('ResourceAlreadyExistsException') },
  { name: 'an unknown code', fault: error('SomethingNewException') },
  { name: '200 without a task', fault: { ...error('None', 200), rawBody: '{}' } },
  { name: 'a role that may not', fault: error('AccessDeniedException') },
  { name: 'a task that fails', fault: { kind: 'task-fails' } },
];

// Fewer, and the two attempts that everybody has are too large a part of it.
const fewestSlices = 150;
const poisonedSlices = 6;
const callers = ['ann', 'bob', 'cem'];
const maxTimes = 1.2;

/**
 * Lets one caller's slices fail in one of ten ways, at a higher priority than all others: those take
 * no longer than 1.2 times what they take without it.
 */
export async function poisonCaller(options: ScenarioOptions): Promise<ScenarioReport> {
  const { serverUrl, signal, onProgress } = options;
  const slices = Math.max(fewestSlices, options.count);
  await using stage = await openStage({
    serverUrl,
    signal,
    targets: ways.length,
    emulator: { pendingMs: 0, runningMs: 300 },
  });
  for (const [index, { fault }] of ways.entries()) {
    const { region } = targetOf(stage, index);
    stage.emulator.seed.logGroup({ region, logGroupName: poisoned(index) });
    const always = { operation: 'CreateExportTask', logGroupName: poisoned(index), count: 1e9 };
    stage.emulator.faults.add({ ...fault, ...always } as Fault);
  }

  const without = await measure(stage, slices, signal);
  onProgress(slices / 2);
  for (const index of ways.keys()) {
    const job = { caller: 'poisoned', priority: 5, slices: poisonedSlices };
    stage.doomed.add(await put(stage, index, { ...job, logGroupName: poisoned(index) }));
  }
  const beside = await measure(stage, slices, signal);

  const verdict = await evaluate(stage, signal);
  const times = ways.map((_, index) => (beside[index] ?? 0) / (without[index] ?? 1));
  const delayed = times.flatMap((factor, index): Violation[] => {
    if (factor <= maxTimes) return [];
    const text = `beside ${ways[index]?.name}, others took ${factor.toFixed(2)} times as long`;
    return [{ invariant: 'fairness', kind: 'stuck', text }];
  });
  return {
    ...verdict,
    trials: ways.length,
    kills: 0,
    hitsInStarting: 0,
    violations: [...verdict.violations, ...delayed],
    notes: ways.map(
      ({ name }, index) =>
        `beside ${name}, ${slices} slices of others took ${times[index]?.toFixed(2)} times ${seconds(without[index])}`,
    ),
  };
}

const poisoned = (index: number) => `/poisoned-${index}`;
const seconds = (ms = 0) => `${(ms / 1_000).toFixed(1)} s`;

function targetOf({ targets }: Stage, index: number) {
  const target = targets[index];
  if (!target) throw new Error('Each way has a target of its own.');
  return target;
}

async function put(stage: Stage, index: number, job: Parameters<typeof putJob>[1]) {
  const { name: target, region } = targetOf(stage, index);
  const id = await putJob(stage.database, { ...job, target, destination: `archive-${region}` });
  stage.accepted.push(id);
  return id;
}

/** Lets three callers export so many slices at every target; how long that takes at each, in ms. */
async function measure(stage: Stage, slices: number, signal: AbortSignal): Promise<number[]> {
  const jobs = await Promise.all(
    ways.map(async (_, index) =>
      Promise.all(
        callers.map((caller) =>
          put(stage, index, { caller, slices: Math.ceil(slices / callers.length) }),
        ),
      ),
    ),
  );
  const beganAt = performance.now();
  return Promise.all(jobs.map((ids) => untilEnded(stage, ids, signal, beganAt)));
}

async function untilEnded(
  { database }: Stage,
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
      .where('state', 'not in', ['completed', 'failed', 'cancelled'])
      .limit(1)
      .executeTakeFirst();
    if (!open) return performance.now() - beganAt;
    await delay(200);
  }
}
