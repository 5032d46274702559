import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import type { LogGroupCursor } from '../log-groups/read-ledger.ts';

/** Counts the log groups of an archive, and tells the time. One that was created again counts again. */
export async function countKnownLogGroups(
  { queries, now }: Database,
  archiveId: string,
): Promise<{ logGroups: number; now: number }> {
  return queries
    .selectFrom('archiveLogGroups')
    .select(({ fn }) => fn.countAll<number>().as('logGroups'))
    .select(sql<number>`${now()}`.as('now'))
    .where('archiveId', '=', archiveId)
    .executeTakeFirstOrThrow();
}

/** Finds the log group of an archive with an index in the order of names and incarnations. */
export async function findLogGroupAt(
  { queries }: Database,
  archiveId: string,
  index: number,
): Promise<LogGroupCursor | undefined> {
  return queries
    .selectFrom('archiveLogGroups')
    .select(['logGroupName', 'incarnation'])
    .where('archiveId', '=', archiveId)
    .orderBy('logGroupName')
    .orderBy('incarnation')
    .offset(index)
    .limit(1)
    .executeTakeFirst();
}

/** Reads the names of log groups of an archive after a name, in their order. */
export async function readNamesAfter(
  { queries }: Database,
  archiveId: string,
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await queries
    .selectFrom('archiveLogGroups')
    .select('logGroupName')
    .distinct()
    .where('archiveId', '=', archiveId)
    .where('logGroupName', '>', after)
    .orderBy('logGroupName')
    .limit(limit)
    .execute();
  return rows.map(({ logGroupName }) => logGroupName);
}
