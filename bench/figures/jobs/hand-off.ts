import { setTimeout as delay } from 'node:timers/promises';
import type { EmulatorOptions } from 'cloudwatch-logs-export-emulator/source';
import { startAws } from '../../aws.ts';
import type { AwsRecord } from '../../emulated-aws.ts';
import { startGateway } from '../../gateway.ts';
import { quantile } from '../../round.ts';
import type { Scale, World } from '../../scale.ts';
import { createJob } from './create-job.ts';

/** The tasks of a queue, and how many of them run. */
interface Tasks {
  name: string;
  options: EmulatorOptions;
  count: number;
  /** Whether a caller reads other tasks meanwhile, twice a second. */
  isRead?: boolean;
}

/** The time from the end of an export task to the next create, and the rate of calls to AWS. */
export async function measureHandOff(_world: World, scale: Scale): Promise<string[]> {
  const { queueSeconds, longTasks } = scale;
  const varying = { pendingMs: 0, runningMs: [1_500, 4_000] } as const;
  const queues: Tasks[] = [
    { name: '2 s', options: { pendingMs: 500, runningMs: 1_500 }, count: queueSeconds / 2 },
    { name: '1.5-4 s, read', options: varying, count: queueSeconds / 2.75, isRead: true },
  ];
  // Each has a gateway and an AWS of its own. The short form has one of each kind.
  if (longTasks > 0) {
    const almostEqual = { pendingMs: 0, runningMs: [1_900, 2_100] } as const;
    const long = { pendingMs: 0, runningMs: [30_000, 90_000] } as const;
    queues.push(
      { name: '2 s ± 5 %', options: almostEqual, count: queueSeconds / 2 },
      { name: '1.5-4 s', options: varying, count: queueSeconds / 2.75 },
      { name: '30-90 s', options: long, count: longTasks },
    );
  }
  // They wait most of the time, so they do not disturb each other.
  return (await Promise.all(queues.map(measureQueue))).flat();
}

async function measureQueue({ name, options, count, isRead }: Tasks): Promise<string[]> {
  await using aws = await startAws({ ...options, journalLimit: 10_000 });
  // With the default limit, so that polls yield to callers.
  await using gateway = await startGateway(aws.url, { env: { AWS_CALLS_PER_SECOND: '4' } });
  const tasks = Math.ceil(count);
  const stop = new AbortController();
  const reads = isRead ? readTasks(gateway.url, stop.signal) : undefined;
  await createJob(gateway.url, { logGroups: 1, hours: tasks });
  const record = await aws.readUntil(
    `the end of ${tasks} tasks`,
    (read) => read.tasks.filter(({ finishedAt }) => finishedAt !== undefined).length === tasks,
    { pauseMs: 100 },
  );
  stop.abort();

  const gaps = gapsBetween(record.tasks).map((ms) => ms / 1_000);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const { describes, all, most } = countCalls(record);
  return [
    `hand-off, ${name}`.padEnd(24) +
      `mean ${mean.toFixed(2)} s (goal ≤ 0.25), p99 ${quantile(gaps, 0.99).toFixed(2)} s (goal ≤ 1), ${tasks} tasks`,
    `  calls to AWS          ${describes.toFixed(2)} describes a second, ${all.toFixed(2)} calls, ${most} at most in a second`,
    ...(reads ? [`  reads of a caller     ${await reads}`] : []),
  ];
}

/** Reads tasks until stopped. No two reads in a second are the same, so each is a call to AWS. */
async function readTasks(url: string, signal: AbortSignal): Promise<string> {
  const tookMs: number[] = [];
  let refused = 0;
  for (let read = 0; !signal.aborted; read++) {
    const beganAt = performance.now();
    const { status } = await fetch(`${url}/export-tasks?limit=${1 + (read % 50)}`);
    tookMs.push(performance.now() - beganAt);
    if (status !== 200) refused += 1;
    await delay(500);
  }
  const [p50, max] = [quantile(tookMs, 0.5), Math.max(...tookMs)].map((ms) => ms.toFixed(0));
  return `p50 ${p50} ms, at most ${max} ms, ${refused} of ${tookMs.length} refused (goal 0)`;
}

function gapsBetween(tasks: AwsRecord['tasks']): number[] {
  return tasks
    .slice(1)
    .map(({ createdAt }, index) => createdAt - (tasks[index]?.finishedAt ?? Number.NaN));
}

/** The rates of calls from the first create to the end of the last task, and the most in a second. */
function countCalls({ tasks, calls }: AwsRecord) {
  const from = tasks[0]?.createdAt ?? Number.NaN;
  const until = tasks.at(-1)?.finishedAt ?? Number.NaN;
  // Calls of verifications go to S3, and have limits of their own.
  const made = calls.filter(
    ({ at, operation }) => at >= from && at < until && operation.includes('ExportTask'),
  );
  const describes = made.filter(({ operation }) => operation === 'DescribeExportTasks');
  const seconds = (until - from) / 1_000;
  const inSecond = ({ at }: { at: number }) =>
    made.filter((other) => other.at >= at && other.at < at + 1_000).length;
  return {
    describes: describes.length / seconds,
    all: made.length / seconds,
    most: Math.max(...made.map(inSecond)),
  };
}
