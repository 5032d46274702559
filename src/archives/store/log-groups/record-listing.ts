import type { Insertable, Selectable } from 'kysely';

import type { LogGroup } from '#aws/log-groups/describe-log-groups.ts';
import type { PartitionBy } from '#coverage/ledger/units.ts';
import type { Queries } from '#database/database.ts';
import type { ArchiveLogGroupRow } from '#database/rows/archive-rows.ts';
import { dayMs } from '#time/durations.ts';
import { ofIncarnation, replaceIncarnation, restoreIncarnation } from './incarnations.ts';

/** A listing of the log groups of an archive. */
export interface Listing {
  archiveId: string;
  /** When it began, by the clock of the database. */
  beganAt: number;
  partitionBy: PartitionBy;
}

/** What a page of a listing says of a log group. */
export type ListedLogGroup = Pick<LogGroup, 'logGroupName' | 'creationTime' | 'retentionInDays'>;

/**
 * Records a page of a listing. A new name is the first incarnation. A log group that was created later than the
 * known one of its name is the next incarnation, and the known one is gone since then.
 */
export async function recordListed(
  queries: Queries,
  { archiveId, beganAt, partitionBy }: Listing,
  page: readonly ListedLogGroup[],
): Promise<void> {
  if (page.length === 0) return;
  const latest = await readLatest(queries, archiveId, page);
  const unchanged: string[] = [];
  const added: Insertable<ArchiveLogGroupRow>[] = [];
  for (const { logGroupName, creationTime = 0, retentionInDays: retentionDays = null } of page) {
    const known = latest.get(logGroupName);
    const seen = { seenAt: beganAt, retentionDays };
    if (!known || creationTime > known.createdAt) {
      if (known)
        await replaceIncarnation(queries, { archiveId, ...known }, partitionBy, creationTime);
      const incarnation = (known?.incarnation ?? 0) + 1;
      added.push({ archiveId, logGroupName, incarnation, createdAt: creationTime, ...seen });
    } else if (known.goneAt !== null || known.retentionDays !== retentionDays) {
      const key = { archiveId, ...known };
      if (known.goneAt !== null) await restoreIncarnation(queries, key, partitionBy);
      const isChanged = known.retentionDays !== retentionDays;
      await ofIncarnation(queries, key)
        .set({ ...seen, goneAt: null, ...(isChanged && changeOf(known, seen)) })
        .execute();
    } else {
      unchanged.push(logGroupName);
    }
  }
  if (added.length > 0) await queries.insertInto('archiveLogGroups').values(added).execute();
  if (unchanged.length === 0) return;
  await queries
    .updateTable('archiveLogGroups')
    .set({ seenAt: beganAt })
    .where('archiveId', '=', archiveId)
    .where('logGroupName', 'in', unchanged)
    .where('goneAt', 'is', null)
    .execute();
}

type Retention = Pick<Selectable<ArchiveLogGroupRow>, 'seenAt' | 'retentionDays'>;

/** What a row keeps of the retention that a listing has found changed. */
function changeOf(
  known: Retention & Pick<Selectable<ArchiveLogGroupRow>, 'doubtfulUntilAt'>,
  { seenAt, retentionDays }: Retention,
) {
  const { retentionDays: formerRetentionDays, seenAt: formerSeenAt, doubtfulUntilAt } = known;
  const former = { formerRetentionDays, formerSeenAt, retentionFoundAt: seenAt };
  if (formerRetentionDays === null || formerRetentionDays > (retentionDays ?? Infinity))
    return former;
  // It can have been lengthened a moment ago.
  const expiredAt = seenAt - formerRetentionDays * dayMs;
  return { ...former, doubtfulUntilAt: Math.max(doubtfulUntilAt ?? -Infinity, expiredAt) };
}

/** Reads the latest incarnation of each log group, by name. */
async function readLatest(queries: Queries, archiveId: string, page: readonly ListedLogGroup[]) {
  const rows = await queries
    .selectFrom('archiveLogGroups')
    .select(['logGroupName', 'incarnation', 'createdAt', 'goneAt', 'seenAt'])
    .select(['retentionDays', 'doubtfulUntilAt'])
    .where('archiveId', '=', archiveId)
    .where(
      'logGroupName',
      'in',
      page.map(({ logGroupName }) => logGroupName),
    )
    .orderBy('incarnation')
    .execute();
  return new Map(rows.map((row) => [row.logGroupName, row]));
}

/** The end of a listing: when it was, and where, and what it has found. */
interface ListingEnd {
  at: number;
  accountId: string;
  region: string;
  /** The number of selected log groups that it has found. */
  logGroupCount: number;
}

/**
 * Records the end of a listing, where it was made, and what it has found. After a complete one, selected log groups that were in none
 * of its pages are gone. Others were not listed, so nothing is known of them.
 */
export async function recordListingEnd(
  queries: Queries,
  { archiveId, beganAt }: Listing,
  { at, ...found }: ListingEnd,
  isMissed: (logGroupName: string) => boolean,
): Promise<void> {
  const unseen = await queries
    .selectFrom('archiveLogGroups')
    .select(['archiveId', 'logGroupName', 'incarnation'])
    .where('archiveId', '=', archiveId)
    .where('goneAt', 'is', null)
    .where('seenAt', '<', beganAt)
    .execute();
  for (const key of unseen) {
    if (isMissed(key.logGroupName)) await ofIncarnation(queries, key).set({ goneAt: at }).execute();
  }
  await queries
    .updateTable('archives')
    .set({ ...found, listedAt: beganAt })
    .where('id', '=', archiveId)
    .execute();
}
