import { setTimeout as delay } from 'node:timers/promises';

import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { readLines, seedEvents } from '../../guesses/content.ts';
import type { Guess } from '../../guesses/guesses.ts';
import type { Violation } from '../checker.ts';
import { type Cluster, openCluster } from '../cluster.ts';
import { targetsInRegions } from '../cluster-targets.ts';
import { evaluate } from '../evaluate.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';
import { lostAnswers } from './lost-answers.ts';

/** The length of a second of AWS in this scenario. Everything in the cluster is faster in proportion. */
export const secondMs = 100;

const logGroupName = '/app';
const window = { logGroupName, fromAt: Date.UTC(2024, 4, 1), hours: 4 };
const toAt = window.fromAt + window.hours * 3_600_000;
const cancelledShare = 0.25;
const lostShare = 0.5;
const callTimeoutMs = 60_000;
const maxTries = 60;
// Late effects are part of the scenario `lost-answers`.
const faults = lostAnswers.filter(({ fault }) => fault.kind !== 'late-effect');

/**
 * Runs creates in the mirror, then sliced jobs, under one guess about AWS. The answers to some creates
 * are lost, and some jobs are cancelled. The check includes the exported content.
 */
export function runUnderGuess(guess: Guess) {
  return async (options: ScenarioOptions): Promise<ScenarioReport> => {
    const { serverUrl, count, random, signal, onProgress } = options;
    await using cluster = await openCluster({
      serverUrl,
      signal,
      targets: targetsInRegions(3),
      isServing: true,
      emulator: { activeTaskLimit: 1, runningMs: [20, 3 * secondMs], ...guess.emulator },
    });
    const expected = new Map(
      cluster.targets.map(({ name, region }) => [
        name,
        seedEvents(cluster.emulator, { ...window, region }, guess),
      ]),
    );
    const jobs = new Map<string, Cluster['targets'][number]>();
    const mirrorViolations: Violation[] = [];
    const loseAnswer = (skip: number) => {
      const { fault } = pick(faults, random);
      cluster.emulator.faults.add({ ...fault, skip, operation: 'CreateExportTask' } as Fault);
    };

    for (let round = 0; round < count && !signal.aborted; round += 1) {
      if (random() < lostShare) loseAnswer(0);
      const target = cluster.targets[round % cluster.targets.length] as Cluster['targets'][number];
      mirrorViolations.push(...(await createInMirror(cluster, target, round)));
      onProgress((round + 1) / 2);
    }
    for (let round = 0; round < count && !signal.aborted; round += 1) {
      if (random() < lostShare) loseAnswer(Math.floor(random() * 3));
      const target = pick(cluster.targets, random);
      const jobId = await createJob(cluster, target);
      jobs.set(jobId, target);
      cluster.accepted.push(jobId);
      if (random() < cancelledShare) await cancelJob(cluster, jobId, random() * 5 * secondMs);
      onProgress((count + round + 1) / 2);
    }

    const evaluation = await evaluate(cluster, signal);
    for (const [jobId, { name, region }] of jobs) {
      if (cluster.cancelled.has(jobId)) continue;
      const bucket = `archive-${region}`;
      const lines = await readLines(cluster.emulator, {
        region,
        bucket,
        prefix: `jobs/${jobId}/`,
      });
      evaluation.violations.push(...compare(jobId, lines, expected.get(name) ?? []));
    }
    evaluation.violations.push(...mirrorViolations);
    if (evaluation.violations.length > 0) cluster.keepLog();
    return { trials: count, kills: 0, hitsInStarting: 0, ...evaluation };
  };
}

/** Each event must be exported once: a missing one is lost, a further one is duplicated. */
function compare(jobId: string, lines: string[], expected: string[]): Violation[] {
  const found = new Set(lines);
  const lost = expected.filter((line) => !found.has(line)).length;
  const extra = lines.length - (expected.length - lost);
  return [
    ...(lost > 0 ? [{ kind: 'lost', text: `job ${jobId} lacks ${lost} events` } as const] : []),
    ...(extra > 0
      ? [{ kind: 'duplicated', text: `job ${jobId} has ${extra} events too many` } as const]
      : []),
  ].map((violation) => ({ invariant: 'content', ...violation }));
}

/** Creates a job. On a busy machine, the shortened check of the account can time out. It is repeated soon. */
async function createJob(cluster: Cluster, target: Cluster['targets'][number]): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    const { status, body } = await call(cluster, `/export-jobs?target=${target.name}`, {
      logGroupNames: [logGroupName],
      sliceBy: 'hour',
      from: new Date(window.fromAt).toISOString(),
      to: new Date(toAt).toISOString(),
      destination: `archive-${target.region}`,
      destinationPrefix: 'jobs/{jobId}/{attempt}',
    });
    if (status === 202) return body.id;
    if (!body.isRetryable || tries === maxTries) {
      throw new Error(`A job was not accepted: ${JSON.stringify(body)}`);
    }
    await delay(5 * secondMs);
  }
}

async function cancelJob(cluster: Cluster, jobId: string, afterMs: number): Promise<void> {
  await delay(afterMs);
  const { status } = await call(cluster, `/export-jobs/${jobId}/cancel`);
  if (status === 202 || status === 200) cluster.cancelled.add(jobId);
}

/** Creates a task in the mirror. Returns a violation if the answer differs from the records of AWS. */
async function createInMirror(
  cluster: Cluster,
  target: Cluster['targets'][number],
  round: number,
): Promise<Violation[]> {
  const from = round; // identifies its task
  const { status, body } = await call(cluster, `/export-tasks?target=${target.name}`, {
    logGroupName,
    from,
    to: 1_000_000,
    destination: `archive-${target.region}`,
    taskName: `mirror-${round}`,
    destinationPrefix: 'mirror/',
  });
  const created = cluster.emulator.exportTasks().filter((task) => task.from === BigInt(from));
  const isCorrect =
    status === 201
      ? created.length === 1 && created[0]?.taskId === body.taskId
      : created.length === 0 || body.type?.endsWith('/outcome-unknown');
  if (isCorrect) return [];
  const text = `create ${round} returned ${status} ${body.detail ?? ''}, but AWS has ${created.length} tasks of it`;
  return [{ invariant: 'mirror', kind: 'duplicated', text }];
}

/** Posts to the first replica. A failed connection is an error of the test. */
async function call(
  { replicas }: Cluster,
  path: string,
  body?: object,
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every shape
): Promise<{ status: number; body: any }> {
  const port = await replicas[0]?.process().ready;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    signal: AbortSignal.timeout(callTimeoutMs),
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}
