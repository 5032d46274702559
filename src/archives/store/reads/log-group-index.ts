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
