import { setTimeout as delay } from 'node:timers/promises';

import { type Emulator, openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { createDatabase } from '../../postgres.ts';
import type { Violation } from '../checker.ts';
import { type GatewayProcess, openGatewayProcess } from '../gateway-process.ts';
import { insist, startHostileLoad } from '../hostile-load.ts';
import type { ScenarioOptions, ScenarioReport } from '../scenario.ts';

const region = 'eu-west-1';

// No policy permits anything to Mallory. Neighbour may see tasks of log groups without any task, so that
// her requests must be looked up at AWS. She may also export one log group, and follow her job.
const policies = `
permit(principal == Caller::"api-key#owner", action, resource);
permit(principal == Caller::"api-key#neighbour", action in [Action::"DescribeExportTasks", Action::"CancelExportTask"], resource)
when { resource has name && resource.name like "/neighbour/*" };
permit(principal == Caller::"api-key#neighbour", action in [Action::"CreateExportJob", Action::"ReadExportJob"], resource)
when { resource has name && resource.name like "/neighbour/*" };
`;
const hostile = ['mallory', 'neighbour'];

// The allowed slowdown. Lower: noise becomes a violation. Higher: a real slowdown is missed.
const maxRatio = 1.1;
// Fewer: one poll more is a tenth of the time. More: a small scale takes as long as a large one.
const minSlices = 15;

/** The measurements of a run of a job, for its owner. */
interface Run {
  seconds: number;
  /** Reads of the owner that did not return 200. */
  refused: string[];
  reads: number;
  /** Calls to CloudWatch Logs, and those that AWS throttled. */
  calls: number;
  throttled: number;
}

/** The report with measurements. */
export interface HostileReport extends ScenarioReport {
  /** The run without hostile callers; only with `isCompared`. */
  alone: Run | undefined;
  attacked: Run;
  /** The number of hostile requests by status. */
  statuses: Record<string, number>;
  /** The statuses of hostile requests that are defects: each 5xx except 503. */
  defects: string[];
  /** The event streams and long polls that were held open. */
  held: number;
}

/**
 * Runs a job of `count` slices through the service with its default settings and the rate limits of AWS.
 * Two hostile callers send reads, waiting requests, dry runs and bodies as fast as their limits permit. One of them
 * holds all event streams and long polls that it can get. The result can be compared with runs without them, before and after.
 * The service loads the module `preload` first.
 */
export async function measureUnderAttack(
  { serverUrl, count, signal, onProgress }: Omit<ScenarioOptions, 'ownServer' | 'random'>,
  { isCompared, preload }: { isCompared: boolean; preload?: string },
): Promise<HostileReport> {
  await using emulator = await openRateLimitedAws();
  await using gateway = await openGatewayProcess({
    awsUrl: emulator.url,
    databaseUrl: await createDatabase(serverUrl),
    region,
    policies,
    callers: ['owner', ...hostile],
    preload,
  });
  const run = () => runJob(gateway, emulator, count, signal);
  if (isCompared) await run(); // the gateway learns the duration of tasks
  const before = isCompared ? await run() : undefined;
  onProgress(Math.round(count / 3));
  const load = await startHostileLoad(gateway, { callers: hostile, owner: 'neighbour' });
  const attacked = await run();
  onProgress(Math.round((2 * count) / 3));
  await load.stop();
  const after = isCompared ? await run() : undefined;

  const alone = before && after && { ...before, seconds: (before.seconds + after.seconds) / 2 };
  const statuses = Object.fromEntries([...load.statuses].sort(([a], [b]) => a - b));
  const trials = Object.values(statuses).reduce((sum, times) => sum + times, 0);
  const isDefect = (status: string) => Number(status) >= 500 && status !== '503';
  const defects = Object.keys(statuses).filter(isDefect);
  return {
    alone,
    attacked,
    statuses,
    defects,
    held: load.held,
    trials,
    slices: count,
    kills: 0,
    hitsInStarting: 0,
    orphans: 0,
    unverified: 0,
    longestStartMs: 0,
    violations: [
      ...attacked.refused.map((text) => violation(text, 'unlawful')),
      ...(alone ? slowerThan(alone, attacked) : []),
      ...(gateway.exit() === undefined ? [] : [violation('the gateway has ended', 'lost')]),
      ...defects.map((status) => violation(`a hostile request returned ${status}`, 'unlawful')),
    ],
  };
}

/** The scenario of `npm run chaos`. */
export async function runHostileCallers(options: ScenarioOptions): Promise<ScenarioReport> {
  const count = Math.max(minSlices, options.count);
  const report = await measureUnderAttack({ ...options, count }, { isCompared: true });
  const { alone, attacked, statuses, held } = report;
  if (alone) process.stdout.write(`alone: ${format(alone)}\n`);
  process.stdout.write(`attacked: ${format(attacked)}\n`);
  process.stdout.write(`held open: ${held} event streams and long polls\n`);
  process.stdout.write(`hostile requests by status: ${JSON.stringify(statuses)}\n`);
  return report;
}

const format = ({ seconds, reads, refused, calls, throttled }: Run) =>
  `${seconds.toFixed(1)} s, ${reads} reads of the owner, ${refused.length} refused, ${calls} calls to CloudWatch Logs, ${throttled} throttled`;

function violation(text: string, kind: Violation['kind']): Violation {
  return { invariant: 'hostile-caller', kind, text };
}

function slowerThan(alone: Run, attacked: Run): Violation[] {
  const ratio = attacked.seconds / alone.seconds;
  if (ratio <= maxRatio) return [];
  const text = `the job took ${ratio.toFixed(2)} times as long as without hostile callers`;
  return [violation(text, 'stuck')];
}

async function openRateLimitedAws() {
  const emulator = await openEmulator({ rateLimits: 'aws', pendingMs: 100, runningMs: 300 });
  for (const logGroupName of ['/app', '/neighbour/app']) {
    emulator.seed.logGroup({ region, logGroupName });
  }
  emulator.seed.bucket({ region, bucket: 'archive' });
  return { ...emulator, [Symbol.asyncDispose]: () => emulator.close() };
}

/** Runs a job from its creation to its end. Its owner polls the job and its tasks. */
async function runJob(
  gateway: GatewayProcess,
  emulator: Emulator,
  slices: number,
  signal: AbortSignal,
): Promise<Run> {
  const from = Date.UTC(2024, 4, 1);
  const body = JSON.stringify({
    logGroupNames: ['/app'],
    destination: 'archive',
    sliceBy: 'hour',
    from,
    to: from + slices * 3_600_000,
  });
  emulator.journal.clear();
  const beganAt = performance.now();
  const { id } = await insist(gateway, 202, () =>
    gateway.call('owner', 'POST', '/export-jobs', body),
  );
  const refused: string[] = [];
  let reads = 0;
  const read = async (path: string) => {
    const { status, body: answer } = await gateway.call('owner', 'GET', path);
    reads += 1;
    if (status !== 200) refused.push(`${path.split('?')[0]} returned ${status} ${answer?.type}`);
    return answer;
  };
  let state: string | undefined;
  for (; !isOver(state); await delay(250)) {
    signal.throwIfAborted();
    state = (await read(`/export-jobs/${id}`))?.state;
    const [task] = (await read('/export-tasks?limit=50'))?.exportTasks ?? [];
    if (task) await read(`/export-tasks/${task.taskId}`);
  }
  const seconds = (performance.now() - beganAt) / 1_000;
  if (state !== 'completed') refused.push(`the job is ${state}`);
  const entries = emulator.journal.entries().filter(({ service }) => service === 'logs');
  const throttled = entries.filter(({ errorCode }) => errorCode === 'ThrottlingException').length;
  return { seconds, refused, reads, calls: entries.length, throttled };
}

const isOver = (state: string | undefined) =>
  state === 'completed' || state === 'failed' || state === 'cancelled';
