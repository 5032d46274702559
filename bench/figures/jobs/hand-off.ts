import type { EmulatorOptions } from 'cloudwatch-logs-export-emulator/source';
import { startAws } from '../../aws.ts';
import { startGateway } from '../../gateway.ts';
import type { AwsRecord } from '../../processes/aws.ts';
import type { Scale, World } from '../../scale.ts';
import { createJob } from './create-job.ts';

/** The time from the end of an export task to the next create, and the rate of calls to AWS. */
export async function measureHandOff(_world: World, scale: Scale): Promise<string[]> {
  const constant = { pendingMs: 500, runningMs: 1_500 };
  const varying = { pendingMs: 0, runningMs: [1_500, 4_000] } as const;
  // Both wait most of the time, so they do not disturb each other.
  const [ofConstant, ofVarying] = await Promise.all([
    measureQueue(constant, Math.ceil(scale.queueSeconds / 2)),
    measureQueue(varying, Math.ceil(scale.queueSeconds / 2.75)),
  ]);
  return [
    `hand-off, 2 s        ${ofConstant.gaps}`,
    `  calls to AWS       ${ofConstant.calls}`,
    `hand-off, 1.5-4 s    ${ofVarying.gaps}`,
    `  calls to AWS       ${ofVarying.calls}`,
  ];
}

async function measureQueue(options: EmulatorOptions, slices: number) {
  await using aws = await startAws(options);
  await using gateway = await startGateway(aws.url);
  await createJob(gateway.url, { logGroups: 1, hours: slices });
  const record = await aws.readUntil(
    ({ tasks }) => tasks.filter(({ finishedAt }) => finishedAt !== undefined).length === slices,
  );

  const gaps = gapsBetween(record.tasks).map((ms) => ms / 1_000);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  return {
    gaps: `mean ${mean.toFixed(2)} s (goal ≤ 0.5), worst ${Math.max(...gaps).toFixed(2)} s (goal ≤ 1.2)`,
    calls: `${callsPerSecond(record).toFixed(2)} a second (goal ≤ 1)`,
  };
}

function gapsBetween(tasks: AwsRecord['tasks']): number[] {
  return tasks
    .slice(1)
    .map(({ createdAt }, index) => createdAt - (tasks[index]?.finishedAt ?? Number.NaN));
}

/** The rate of calls from the first create to the end of the last task. */
function callsPerSecond({ tasks, calls }: AwsRecord): number {
  const from = tasks[0]?.createdAt ?? Number.NaN;
  const until = tasks.at(-1)?.finishedAt ?? Number.NaN;
  const made = calls.filter(({ at }) => at >= from && at < until);
  return made.length / ((until - from) / 1_000);
}
