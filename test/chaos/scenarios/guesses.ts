import { setTimeout as delay } from 'node:timers/promises';

import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { readLines, seedEvents } from '../../guesses/content.ts';
import type { Guess } from '../../guesses/guesses.ts';
import type { Violation } from '../checker.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';
import { openStage, type Stage } from '../stage.ts';
import { evaluate } from '../verdict.ts';
import { lostAnswers } from './lost-answers.ts';

/** How long a second of AWS lasts here: its tasks take parts of one, as the whole stage is quicker. */
export const secondMs = 100;

const logGroupName = '/app';
const window = { logGroupName, fromAt: Date.UTC(2024, 4, 1), hours: 4 };
const toAt = window.fromAt + window.hours * 3_600_000;
const cancelledShare = 0.25;
const lostShare = 0.5;
const patienceMs = 60_000;
// Effects that come after everything was looked at twice over are for the scenario `answers`.
const faults = lostAnswers.filter(({ fault }) => fault.kind !== 'late-effect');

/**
 * Under one guess about AWS: creates in the mirror, then sliced jobs; the answers to some creates are
 * lost, some jobs are cancelled. Judged by what AWS has, content included.
 */
export function actUnder(guess: Guess) {
  return async (options: ScenarioOptions): Promise<ScenarioReport> => {
    const { serverUrl, count, random, signal, onProgress } = options;
    await using stage = await openStage({
      serverUrl,
      signal,
      targets: 3,
      isServing: true,
      emulator: { activeTaskLimit: 1, runningMs: [20, 3 * secondMs], ...guess.emulator },
    });
    const expected = new Map(
      stage.targets.map(({ name, region }) => [
        name,
        seedEvents(stage.emulator, { ...window, region }, guess),
      ]),
    );
    const jobs = new Map<string, Stage['targets'][number]>();
    const lies: Violation[] = [];
    const loseOne = (skip: number) => {
      const { fault } = pick(faults, random);
      stage.emulator.faults.add({ ...fault, skip, operation: 'CreateExportTask' } as Fault);
    };

    for (let round = 0; round < count && !signal.aborted; round += 1) {
      if (random() < lostShare) loseOne(0);
      const target = stage.targets[round % stage.targets.length] as Stage['targets'][number];
      lies.push(...(await createInMirror(stage, target, round)));
      onProgress((round + 1) / 2);
    }
    for (let round = 0; round < count && !signal.aborted; round += 1) {
      if (random() < lostShare) loseOne(Math.floor(random() * 3));
      const target = pick(stage.targets, random);
      const jobId = await postJob(stage, target);
      jobs.set(jobId, target);
      stage.accepted.push(jobId);
      if (random() < cancelledShare) await cancelJob(stage, jobId, random() * 5 * secondMs);
      onProgress((count + round + 1) / 2);
    }

    const verdict = await evaluate(stage, signal);
    for (const [jobId, { name, region }] of jobs) {
      if (stage.cancelled.has(jobId)) continue;
      const bucket = `archive-${region}`;
      const lines = await readLines(stage.emulator, {
        region,
        bucket,
        prefix: `jobs/${jobId}/`,
      });
      verdict.violations.push(...compare(jobId, lines, expected.get(name) ?? []));
    }
    verdict.violations.push(...lies);
    if (verdict.violations.length > 0) stage.keepLog();
    return { trials: count, kills: 0, hitsInStarting: 0, ...verdict };
  };
}

/** Every event once: what is missing is lost, what is there too often is duplicated. */
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

async function postJob(stage: Stage, target: Stage['targets'][number]): Promise<string> {
  const { status, body } = await call(stage, `/export-jobs?target=${target.name}`, {
    logGroupNames: [logGroupName],
    sliceBy: 'hour',
    from: new Date(window.fromAt).toISOString(),
    to: new Date(toAt).toISOString(),
    destination: `archive-${target.region}`,
    destinationPrefix: 'jobs/{jobId}/{attempt}',
  });
  if (status !== 202) throw new Error(`A job was not accepted: ${JSON.stringify(body)}`);
  return body.id;
}

async function cancelJob(stage: Stage, jobId: string, afterMs: number): Promise<void> {
  await delay(afterMs);
  const { status } = await call(stage, `/export-jobs/${jobId}/cancel`);
  if (status === 202 || status === 200) stage.cancelled.add(jobId);
}

/** One create in the mirror; a violation if what its caller is told is not what AWS has. */
async function createInMirror(
  stage: Stage,
  target: Stage['targets'][number],
  round: number,
): Promise<Violation[]> {
  const from = round; // by which its task is known
  const { status, body } = await call(stage, `/export-tasks?target=${target.name}`, {
    logGroupName,
    from,
    to: 1_000_000,
    destination: `archive-${target.region}`,
    taskName: `mirror-${round}`,
    destinationPrefix: 'mirror/',
  });
  const made = stage.emulator.exportTasks().filter((task) => task.from === BigInt(from));
  const isRight =
    status === 201
      ? made.length === 1 && made[0]?.taskId === body.taskId
      : made.length === 0 || body.type?.endsWith('/outcome-unknown');
  if (isRight) return [];
  const text = `create ${round} was answered ${status} ${body.detail ?? ''}, and AWS has ${made.length} of it`;
  return [{ invariant: 'mirror', kind: 'duplicated', text }];
}

/** Posts to any replica that is ready; a connection that fails is an accident of the stage. */
async function call(
  { replicas }: Stage,
  path: string,
  body?: object,
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every shape
): Promise<{ status: number; body: any }> {
  const port = await replicas[0]?.process().ready;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    signal: AbortSignal.timeout(patienceMs),
    ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}
