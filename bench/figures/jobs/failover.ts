import pg from 'pg';

import { dispatcherTimings } from '#export-jobs/dispatcher/timings.ts';
import { type AwsProcess, startAws } from '../../aws.ts';
import type { AwsRecord } from '../../emulated-aws.ts';
import { type GatewayProcess, startGateway } from '../../gateway.ts';
import type { Scale, World } from '../../scale.ts';
import { createJob } from './create-job.ts';

const taskMs = 4_000;

/** The time from the end of the gateway that owns the slot to the first call of the next owner. */
export async function measureFailover(
  { databases }: World,
  { isLeaseAwaited }: Scale,
): Promise<string[]> {
  const leaseSeconds = dispatcherTimings.leaseMs / 1_000;
  const goal = `lease ${leaseSeconds} s, goal ≤ ${leaseSeconds + 5}`;
  await using aws = await startAws({ pendingMs: 0, runningMs: taskMs });
  const databaseUrl = await databases.create();
  const kill = (owner: GatewayProcess) => killOwner(owner, aws, databaseUrl, isLeaseAwaited);
  await using first = await startGateway(aws.url, { databaseUrl });
  await createJob(first.url, { logGroups: 1, hours: 100 });
  await aws.readUntil('the first task', ({ tasks }) => tasks.length > 0);
  await using second = await startGateway(aws.url, { databaseUrl });
  await aws.readUntil('the middle of a task', ({ tasks }) => isInMiddle(tasks.at(-1)));
  const ofTask = await kill(first);
  await using _third = await startGateway(aws.url, { databaseUrl });
  const { length } = (await aws.read()).tasks;
  await aws.readUntil('the next task', ({ tasks }) => tasks.length > length);
  const ofCreate = await kill(second);
  return [
    `failover, in a task  ${ofTask.toFixed(1)} s after kill -9 (${goal})`,
    `  after a create     ${ofCreate.toFixed(1)} s after kill -9 (${goal})`,
  ];
}

async function killOwner(
  owner: GatewayProcess,
  aws: AwsProcess,
  databaseUrl: string,
  isLeaseAwaited: boolean,
): Promise<number> {
  await owner[Symbol.asyncDispose]();
  const killedAt = Date.now();
  if (!isLeaseAwaited) await expireLease(databaseUrl);
  const isAfterKill = ({ at }: { at: number }) => at > killedAt;
  const { calls } = await aws.readUntil('a call of the next owner', (record) =>
    record.calls.some(isAfterKill),
  );
  return ((calls.find(isAfterKill)?.at ?? Number.NaN) - killedAt) / 1_000;
}

function isInMiddle(task: AwsRecord['tasks'][number] | undefined): boolean {
  if (task === undefined || task.finishedAt !== undefined) return false;
  return Date.now() - task.createdAt > taskMs / 2;
}

async function expireLease(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('update slots set leased_until = 0');
  await client.end();
}
