import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from 'cloudwatch-logs-export-emulator/source';

import { isAtRest } from './archive-ledger.ts';
import { hourMs, type WantedArchive } from './check-archives.ts';
import type { Cluster } from './cluster.ts';
import { bucketOf, type ClusterTarget } from './cluster-targets.ts';
import { pick, type ScenarioOptions } from './scenario.ts';

/** Archives of the past that callers create, pause and export again, while calls to AWS fail. */
export interface ArchiveLoad {
  /** The archives whose acceptance was confirmed. */
  wanted: readonly WantedArchive[];
  /** Ends the requests and the faults. What is under way goes on. */
  stop(): Promise<void>;
}

const logGroupNames = ['/kept/a', '/kept/b'];
// Fewer: all partitions of an archive fit into its queue at once. More: a run ends long after its last kill.
const hoursPerArchive = 6;
// How often an archive that is at rest is exported again in part. The others are followed by a new archive.
const backfillShare = 0.3;
// How often an archive is paused, for each time that it is found behind. More: it exports nothing in between.
const pauseShare = 0.02;

const create = { operation: 'CreateExportTask' } as const;
/** What happens to calls, one at a time. */
const faults: readonly Fault[] = [
  { ...create, kind: 'task-fails' },
  { ...create, kind: 'objects-missing', missing: 'all' },
  { ...create, kind: 'reset-after' },
  { ...create, kind: 'reset-before' },
  { ...create, kind: 'silence-after' },
  { ...create, kind: 'error', code: 'ThrottlingException' },
  { operation: 'DescribeLogGroups', kind: 'error', code: 'InternalFailure' },
];

/** Keeps an archive of each target behind until it is stopped. The replicas serve the API. */
export function openArchiveLoad(
  cluster: Cluster,
  { random, signal }: Pick<ScenarioOptions, 'random' | 'signal'>,
): ArchiveLoad {
  const dueAt = Math.floor(Date.now() / hourMs - 13) * hourMs;
  const fromAt = dueAt - hoursPerArchive * hourMs;
  seedLogGroups(cluster, dueAt);
  const wanted: WantedArchive[] = [];
  let isStopped = false;
  const running = Promise.all([...cluster.targets.map(keepBusy), injectFaults()]);
  return {
    wanted,
    async stop() {
      isStopped = true;
      await running;
      cluster.emulator.faults.clear();
    },
  };

  async function keepBusy(target: ClusterTarget): Promise<void> {
    let latest: WantedArchive | undefined;
    while (!isStopped && !signal.aborted) {
      await delay(200);
      if (!latest) latest = await addArchive(target);
      else if (!(await isAtRest(cluster, [latest]).catch(() => false))) {
        if (random() < pauseShare) await pause(latest);
      } else if (random() < backfillShare) await backfill(latest);
      else latest = await addArchive(target);
    }
  }

  async function addArchive({ name: target }: ClusterTarget): Promise<WantedArchive | undefined> {
    const key = randomUUID();
    const body = {
      name: key,
      logGroupNamePrefix: '/kept/',
      partitionBy: 'hour',
      from: fromAt,
      to: dueAt,
      destination: bucketOf({ name: target }),
      destinationPrefix: `${key}/{logGroup}/{yyyy}/{MM}/{dd}/{HH}/r{revision}/{attempt}`,
    };
    const answer = await post(`/archives?target=${target}`, body, key);
    if (!answer) return undefined;
    const archive = { archiveId: answer.id, logGroupNames, fromAt, toAt: dueAt };
    wanted.push(archive);
    return archive;
  }

  /** Pauses an archive for a while: its waiting exports are cancelled. */
  async function pause({ archiveId }: WantedArchive): Promise<void> {
    await post(`/archives/${archiveId}/pause`, { reason: 'chaos' });
    await delay(random() * 1_000);
    await post(`/archives/${archiveId}/resume`, { reason: 'chaos' });
  }

  /** Exports the first hours of an archive again. */
  async function backfill({ archiveId }: WantedArchive): Promise<void> {
    const to = fromAt + (1 + Math.floor(random() * 3)) * hourMs;
    await post(`/archives/${archiveId}/backfills`, { from: fromAt, to, reprocess: 'all' });
  }

  /** Sends a request until a replica has answered it. */
  async function post(path: string, body: object, key?: string) {
    while (!signal.aborted) {
      const port = await pick(cluster.replicas, random).process().ready;
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(key && { 'idempotency-key': key }) },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(10_000),
      })
        .then(async (response) => ({ status: response.status, body: await response.json() }))
        .catch(() => undefined); // a killed replica
      if (answer && answer.status < 300) return answer.body;
      if (answer && answer.status < 500 && answer.status !== 429)
        throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      await delay(random() * 100);
    }
    return undefined;
  }

  async function injectFaults(): Promise<void> {
    const { pending, add } = cluster.emulator.faults;
    while (!isStopped && !signal.aborted) {
      await delay(random() * 1_000);
      if (pending().length > 1) continue; // otherwise nothing succeeds
      add(pick(faults, random));
      // AWS fails this hour until it is split.
      const containsMs = dueAt - Math.ceil(random() * hoursPerArchive) * hourMs;
      add({ ...create, kind: 'task-fails', longerThanMs: hourMs / 4, containsMs, count: 6 });
    }
  }
}

/** Adds log groups that are older than their archives. Every other hour has log events. */
function seedLogGroups({ emulator, targets }: Cluster, dueAt: number): void {
  const createdAt = dueAt - 10 * 24 * hourMs;
  const events = Array.from({ length: hoursPerArchive / 2 }, (_, index) => ({
    timestamp: dueAt - (hoursPerArchive - 2 * index) * hourMs + 60_000,
    message: `event ${index}`,
  }));
  for (const { region, accountId } of targets) {
    for (const logGroupName of logGroupNames) {
      emulator.seed.logGroup({ region, accountId, logGroupName, createdAt });
      emulator.seed.logEvents({ region, accountId, logGroupName, logStreamName: 'web/1', events });
    }
  }
}
