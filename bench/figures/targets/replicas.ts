import { setTimeout as delay } from 'node:timers/promises';

import type { Database } from '#database/database.ts';
import { openDatabase } from '#database/open-database.ts';
import { dispatcherTimings } from '#export-jobs/dispatcher/timings.ts';
import { patientLimits } from '../../../test/ready-database.ts';
import { type AwsProcess, startAws } from '../../aws.ts';
import type { AwsRecord } from '../../emulated-aws.ts';
import { type GatewayProcess, startGateway } from '../../gateway.ts';
import { bothCores } from '../../machine.ts';
import { organisationTargets, writeTargetsFile } from '../../organisation.ts';
import type { Scale, World } from '../../scale.ts';
import { waitUntil } from '../../wait-until.ts';
import { cancelJob } from '../jobs/create-job.ts';
import { checkExports } from './check-exports.ts';
import { formatHandOffs, whenHandedOff } from './hand-offs.ts';
import { keepTargetsBusy } from './keep-busy.ts';
import { readLeases, readReplicas } from './leases.ts';

const { leaseMs } = dispatcherTimings;
const replicaCount = 3;
const sharesGoal = 0.2;
// How long the last replica may take to get its share. In full, it is longer than the goal, a lease.
const maxJoinMs = (scale: Scale) => (scale.isLeaseAwaited ? 2 * leaseMs : leaseMs / 6);
// Longer than the figure takes: no job ends before its cancel.
const jobSeconds = 600;

/** Slots shared by three replicas in real time, and what happens when one of them is killed. */
export async function measureReplicas({ databases }: World, scale: Scale): Promise<string[]> {
  const { isLeaseAwaited } = scale;
  const { shared, sharedTaskSeconds } = scale.targets;
  const taskMs = sharedTaskSeconds * 1_000;
  const targets = organisationTargets(shared);
  // The limit of AWS would hide two of our tasks in one slot.
  const options = { pendingMs: 0, runningMs: taskMs, activeTaskLimit: 2 };
  await using aws = await startAws(options, shared);
  const databaseUrl = await databases.create();
  const env = { TARGETS_FILE: writeTargetsFile(targets), AWS_CALLS_PER_SECOND: '4' };
  // Four processes that work, and PostgreSQL: they need both cores.
  const start = () => startGateway(aws.url, { databaseUrl, env, core: bothCores });
  await using first = await start();
  await using second = await start();
  await using database = await openDatabase({ databaseUrl, dataDir: '', limits: patientLimits });

  const jobs = await keepTargetsBusy([first, second], targets, {
    hours: Math.ceil(jobSeconds / sharedTaskSeconds),
    overSeconds: sharedTaskSeconds,
  });
  const before = await whenAlive(database, 2);
  await using third = await start();
  const [owner] = (await whenAlive(database, replicaCount)).filter(
    (each) => !before.includes(each),
  );
  const joinedMs = await whenShared(database, maxJoinMs(scale));

  const replicas = [first, second, third];
  const cpuMs = () => replicas.reduce((sum, replica) => sum + replica.cpuMs(), 0);
  // The first task of a slot has no known durations, so its end is noticed seconds late.
  await whenHandedOff(aws, Date.now(), shared);
  const [from, cpuMsBefore] = [Date.now(), cpuMs()];
  await delay(taskMs);
  const record = await whenHandedOff(aws, from, shared);
  const until = Date.now();
  const cpuShare = (cpuMs() - cpuMsBefore) / (until - from);
  const leases = await readLeases(database);
  const counts = [...leases.values()].map(({ length }) => length);
  const shareOf = (count: number) => (count / shared).toFixed(2);
  const [low, high] = [(1 - sharesGoal) / replicaCount, (1 + sharesGoal) / replicaCount];

  const killed = await killReplica(third, { database, owner, isLeaseAwaited });
  await whenAllContinue(aws, killed.at, shared);
  for (const location of jobs) await cancelJob(first, location);
  const checked = await checkExports(database, aws, targets);
  return [
    `replicas, ${replicaCount}`.padEnd(20) +
      ` ${shared} targets, tasks of ${sharedTaskSeconds} s in real time: ${formatHandOffs(record, from, until)}`,
    `  shares             ${counts.map(shareOf).sort().join(', ')} of the slots (goal ${low.toFixed(2)} to ${high.toFixed(2)}), ${(joinedMs / 1_000).toFixed(0)} s after the third came (goal ≤ ${leaseMs / 1_000})`,
    `  CPU time           ${(100 * cpuShare).toFixed(0)} % of a core, all replicas together`,
    `  after kill -9      ${killed.slots} busy slots taken over within ${killed.seconds.toFixed(1)} s (lease ${leaseMs / 1_000} s, goal ≤ ${leaseMs / 1_000 + 5})`,
    `  exports            ${checked}`,
  ];
}

/** Waits until every replica has its share. Returns how long it took, at most `maxMs`. */
async function whenShared(database: Database, maxMs: number): Promise<number> {
  const beganAt = performance.now();
  const elapsedMs = () => performance.now() - beganAt;
  while (elapsedMs() < maxMs) {
    const counts = [...(await readLeases(database)).values()].map(({ length }) => length);
    const mean = counts.reduce((sum, count) => sum + count, 0) / replicaCount;
    const isShared = counts.every((count) => Math.abs(count - mean) <= sharesGoal * mean);
    if (counts.length === replicaCount && isShared) break;
    await delay(500);
  }
  return elapsedMs();
}

interface Kill {
  database: Database;
  owner: string | undefined;
  isLeaseAwaited: boolean;
}

/** Waits until as many replicas are alive, and returns their names in the leases. */
function whenAlive(database: Database, count: number): Promise<string[]> {
  return waitUntil({
    what: `${count} replicas`,
    read: () => readReplicas(database),
    isDone: (owners) => owners.length === count,
    describe: (owners) => owners.join(),
    pauseMs: () => 100,
  });
}

/** Kills a replica. Returns how many slots it had, and when others had all of them. */
async function killReplica(
  replica: GatewayProcess,
  { database, owner = '', isLeaseAwaited }: Kill,
) {
  await replica[Symbol.asyncDispose]();
  const at = Date.now();
  const left = new Set((await readLeases(database)).get(owner));
  const slots = left.size;
  if (!isLeaseAwaited) {
    const expired = database.queries.updateTable('slots').set({ leasedUntil: 0 });
    await expired.where('owner', '=', owner).execute();
  }
  await waitUntil({
    what: `the take-over of ${slots} slots of a killed replica`,
    async read() {
      const leases = await readLeases(database);
      for (const [other, targets] of leases) {
        if (other !== owner) for (const target of targets) left.delete(target);
      }
      return leases;
    },
    isDone: () => left.size === 0,
    describe: (leases) => `no other owner of ${[...left]}. Leases: ${JSON.stringify([...leases])}`,
    pauseMs: () => 100,
  });
  return { slots, at, seconds: (Date.now() - at) / 1_000 };
}

/** Waits until every slot has had another create since the kill. */
async function whenAllContinue(aws: AwsProcess, killedAt: number, slots: number): Promise<void> {
  const continued = ({ tasks }: AwsRecord) =>
    new Set(tasks.filter(({ createdAt }) => createdAt > killedAt).map(({ slot }) => slot));
  await aws.readUntil(
    `a create in each of ${slots} slots`,
    (record) => continued(record).size === slots,
    {
      pauseMs: 1_000,
      describe: (record) => `creates in ${[...continued(record)]}`,
    },
  );
}
