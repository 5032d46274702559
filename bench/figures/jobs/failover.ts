import pg from 'pg';

import { dispatcherTimings } from '#export-jobs/dispatcher/timings.ts';
import { type AwsProcess, startAws } from '../../aws.ts';
import type { AwsRecord } from '../../emulated-aws.ts';
import { startGateway } from '../../gateway.ts';
import type { Scale, World } from '../../scale.ts';
import { createJob } from './create-job.ts';

/** The time from the end of the gateway that owns the slot to the first call of the next owner. */
export async function measureFailover(world: World, scale: Scale): Promise<string[]> {
  const taskMs = 4_000;
  const duringTask = (aws: AwsProcess) =>
    aws.readUntil('the middle of a task', ({ tasks }) => isInMiddle(tasks.at(-1), taskMs));
  const afterCreate = (aws: AwsProcess) =>
    aws.readUntil('the second task', ({ tasks }) => tasks.length >= 2);
  const leaseSeconds = dispatcherTimings.leaseMs / 1_000;
  const goal = `lease ${leaseSeconds} s, goal ≤ ${leaseSeconds + 5}`;
  // Both wait most of the time, so they do not disturb each other.
  const [ofTask, ofCreate] = await Promise.all([
    killOwner(world, scale, taskMs, duringTask),
    killOwner(world, scale, taskMs, afterCreate),
  ]);
  return [
    `failover, in a task  ${ofTask.toFixed(1)} s after kill -9 (${goal})`,
    `  after a create     ${ofCreate.toFixed(1)} s after kill -9 (${goal})`,
  ];
}

async function killOwner(
  { databases }: World,
  { isLeaseAwaited }: Scale,
  runningMs: number,
  waitForMoment: (aws: AwsProcess) => Promise<unknown>,
): Promise<number> {
  await using aws = await startAws({ pendingMs: 0, runningMs });
  const databaseUrl = await databases.create();
  await using owner = await startGateway(aws.url, { databaseUrl });
  await createJob(owner.url, { logGroups: 1, hours: 50 });
  await aws.readUntil('the first task', ({ tasks }) => tasks.length > 0);
  await using _other = await startGateway(aws.url, { databaseUrl });
  await waitForMoment(aws);
  await owner[Symbol.asyncDispose]();
  const killedAt = Date.now();
  if (!isLeaseAwaited) await expireLease(databaseUrl);
  const isAfterKill = ({ at }: { at: number }) => at > killedAt;
  const { calls } = await aws.readUntil('a call of the next owner', (record) =>
    record.calls.some(isAfterKill),
  );
  return ((calls.find(isAfterKill)?.at ?? Number.NaN) - killedAt) / 1_000;
}

function isInMiddle(task: AwsRecord['tasks'][number] | undefined, taskMs: number): boolean {
  if (task === undefined || task.finishedAt !== undefined) return false;
  return Date.now() - task.createdAt > taskMs / 2;
}

async function expireLease(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('update slots set leased_until = 0');
  await client.end();
}
