import { setTimeout as delay } from 'node:timers/promises';

import { type ArchiveEvidence, hourMs, type WantedArchive } from './check-archives.ts';
import type { Cluster } from './cluster.ts';

// Without a new coverage for this long, the archives are stuck.
const standstillMs = 60_000;

/** Whether archives have covered everything, and nothing is to be exported again. */
export async function isAtRest(
  { database: { queries } }: Cluster,
  wanted: readonly WantedArchive[],
): Promise<boolean> {
  if (wanted.length === 0) return true;
  const ids = wanted.map(({ archiveId }) => archiveId);
  const count = (hours: number, archive: WantedArchive) =>
    hours + archive.logGroupNames.length * ((archive.toAt - archive.fromAt) / hourMs);
  const { covered } = await queries
    .selectFrom('archiveLogGroups')
    .select(({ fn }) => fn.sum<number>('covered').as('covered'))
    .where('archiveId', 'in', ids)
    .executeTakeFirstOrThrow();
  if (Number(covered) < wanted.reduce(count, 0)) return false;
  const again = await queries
    .selectFrom('archiveRanges')
    .select('archiveId')
    .where('archiveId', 'in', ids)
    .where('again', 'is not', null)
    .limit(1)
    .executeTakeFirst();
  const open = await queries
    .selectFrom('archiveBackfills')
    .select('archiveId')
    .where('archiveId', 'in', ids)
    .where('endedAt', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return !again && !open;
}

/** Waits until archives have covered everything, or until they are stuck. */
export async function waitUntilAtRest(
  cluster: Cluster,
  wanted: readonly WantedArchive[],
  signal: AbortSignal,
): Promise<void> {
  let known = -1;
  let changedAt = performance.now();
  while (!signal.aborted && performance.now() - changedAt < standstillMs) {
    if (await isAtRest(cluster, wanted)) return;
    const { rows } = await cluster.database.queries
      .selectFrom('coverage')
      .select(({ fn }) => fn.countAll<number>().as('rows'))
      .executeTakeFirstOrThrow();
    if (rows !== known) changedAt = performance.now();
    known = rows;
    await delay(200);
  }
}

/** Reads the ledger of all archives, and their jobs. */
export async function readArchiveEvidence(
  { database: { queries }, emulator }: Cluster,
  wanted: readonly WantedArchive[],
): Promise<ArchiveEvidence> {
  return {
    wanted,
    tasks: emulator.exportTasks(),
    jobs: await queries.selectFrom('jobs').selectAll().execute(),
    slices: await queries.selectFrom('slices').selectAll().execute(),
    attempts: await queries.selectFrom('attempts').selectAll().execute(),
    verifications: await queries.selectFrom('verifications').selectAll().execute(),
    logGroups: await queries.selectFrom('archiveLogGroups').selectAll().execute(),
    ranges: await queries.selectFrom('archiveRanges').selectAll().execute(),
    work: await queries.selectFrom('archivePartitions').selectAll().execute(),
    backfills: await queries.selectFrom('archiveBackfills').selectAll().execute(),
    coverage: await queries.selectFrom('coverage').selectAll().execute(),
  };
}
