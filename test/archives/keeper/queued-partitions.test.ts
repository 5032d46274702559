import { describe, expect, test } from 'vitest';
import { makeKeeperAlerts } from '#archives/keeper/keeper-alerts.ts';
import type { Look } from '#archives/keeper/look.ts';
import { settleJobs } from '#archives/keeper/queue/settle-jobs.ts';
import { checkStopped } from '#archives/keeper/queue/stop-and-check.ts';
import {
  announceWithdrawn,
  withdrawPartitions,
} from '#archives/keeper/queue/withdraw-partitions.ts';
import { keeperTimings } from '#archives/keeper/timings.ts';
import { claimLook } from '#archives/store/looks/claim-look.ts';
import { readBackfills } from '#archives/store/partitions/read-backfills.ts';
import { readPartitionJobs, readQueued } from '#archives/store/partitions/read-queued.ts';
import { shrinkPartition } from '#archives/store/partitions/write-partitions.ts';
import { endJob, startJob } from './end-job.ts';
import { dayMs, type KeptArchives, openKeptArchives, start } from './kept-archives.ts';

/** An archive of one log group with three days to export, which are in the queue. */
async function openQueued() {
  const kept = await openKeptArchives();
  kept.seed('/app/a');
  const fromAt = start - 4 * dayMs;
  const id = await kept.accept({ logGroupNames: ['/app/a'], fromAt, toAt: start - dayMs });
  await kept.look();
  return { kept, id, rows: await readQueued(kept.database.queries, id) };
}

/** A look at the archive, before it does anything. */
async function beginLook(kept: KeptArchives, id: string): Promise<Look> {
  const { database, log: lines } = kept;
  await kept.change(id, {});
  const claimed = await claimLook(database, 'another', keeperTimings, []);
  if (!claimed) throw new Error('no look is due');
  const { lease, archive } = claimed;
  const write = (level: string) => (facts: object, text: string) =>
    void lines.push({ level, ...facts, text });
  const log = { info: write('info'), warn: write('warn'), error: write('error') };
  const { leaseMs } = keeperTimings;
  const known = {
    archive,
    database,
    timings: keeperTimings,
    alerts: makeKeeperAlerts({ log, now: kept.now, elapsed: kept.now }),
    writer: { database, lease, leaseMs, version: archive.version },
    target: undefined,
  };
  return known as unknown as Look;
}

describe('the queue of an archive', () => {
  test('keeps partitions whose job has begun, or that have none, when all are withdrawn', async () => {
    const { kept, id, rows } = await openQueued();
    await using _ = kept;
    const [begun, waiting, other] = rows.toSorted((one, next) => one.fromAt - next.fromAt);
    if (!begun?.jobId || !waiting || !other) throw new Error('three are expected');
    await startJob(kept.database, begun.jobId);
    const without = { ...other, jobId: null };
    const all = [begun, waiting, without];
    const look = await beginLook(kept, id);

    const left = await kept.database.transaction((queries) =>
      withdrawPartitions(look, queries, all, all),
    );
    const told: string[] = [];
    const onJobChange = (jobId: string) => void told.push(jobId);
    announceWithdrawn({ ...look, onJobChange }, [...left.withdrawn, without]);

    expect(left.withdrawn).toEqual([waiting]);
    expect(left.queued.map(({ jobId }) => jobId)).toEqual([begun.jobId, null]);
    expect(left.queued[0]?.job?.states).toEqual(new Set(['running']));
    expect(told).toEqual([waiting.jobId]);
  });

  test('loses partitions without a job, and stops once for a refusal of its only log group', async () => {
    const { kept, id, rows } = await openQueued();
    await using _ = kept;
    const refused = { outcome: 'failed', problem: 'service-role-not-permitted' } as const;
    for (const { jobId } of rows.slice(0, 2)) await endJob(kept.database, jobId ?? '', refused);
    await kept.database.queries
      .updateTable('archivePartitions')
      .set({ jobId: null })
      .where('jobId', '=', rows[2]?.jobId ?? '')
      .execute();
    const [first, second, without] = await readQueued(kept.database.queries, id);
    const look = await beginLook(kept, id);
    look.archive.summary = null;
    const settle = (row = first) => settleJobs(look, row ? [row] : [], kept.now());

    const left = [...(await settle()), ...(await settle(second)), ...(await settle(without))];

    expect(left).toEqual([]);
    expect(await kept.partitions()).toEqual([]);
    expect((await kept.archive(id)).stopProblem).toContain('service-role-not-permitted');
    const stopped = 'stopped the exports of an archive, its destination is checked again';
    expect(kept.log.filter(({ text }) => text === stopped)).toHaveLength(1);
  });

  test('shrinks a partition to the rest of it, without its job, or to nothing', async () => {
    const { kept, rows } = await openQueued();
    await using _ = kept;
    const { queries } = kept.database;
    const [one, other] = await queries
      .selectFrom('archivePartitions')
      .selectAll()
      .where(
        'jobId',
        'in',
        rows.slice(0, 2).flatMap(({ jobId }) => jobId ?? []),
      )
      .execute();
    if (!one || !other) throw new Error('two are expected');
    const fromAt = one.fromAt + dayMs / 2;

    await shrinkPartition(queries, one, { fromAt, toAt: one.toAt });
    await shrinkPartition(queries, other, undefined);

    const left = await queries.selectFrom('archivePartitions').selectAll().execute();
    expect(left).toHaveLength(2);
    expect(left).toContainEqual({ ...one, fromAt, jobId: null });
    expect(left.map((row) => row.jobId)).not.toContain(other.jobId);
  });
});

describe('a stopped archive', () => {
  test('waits for its time, its target and its problem before its destination is checked', async () => {
    const { kept, id } = await openQueued();
    await using _ = kept;
    const look = await beginLook(kept, id);
    const stopProblem = JSON.stringify({ type: '/problems/destination-not-found' });
    const stopped = { ...look.archive, stopProblem: JSON.parse(stopProblem) };
    const target = kept.targets.find('default');
    const at = kept.now();

    await checkStopped({ ...look, target }, [], at);
    await checkStopped({ ...look, archive: stopped }, [], at);
    await checkStopped({ ...look, target, archive: { ...stopped, stopCheckAt: at + 1 } }, [], at);

    expect((await kept.archive(id)).stopCheckAt).toBeNull();
    expect(kept.log.map(({ text }) => text)).toEqual(['target ready']);
  });
});

describe('what is read of an archive without facts', () => {
  test('returns nothing where no row exists', async () => {
    const { kept, id } = await openQueued();
    await using _ = kept;
    const { queries } = kept.database;

    expect(await readBackfills(queries, id)).toEqual([]);
    expect(await readPartitionJobs(queries, [])).toEqual(new Map());
    expect(await readQueued(queries, 'another')).toEqual([]);
  });
});
