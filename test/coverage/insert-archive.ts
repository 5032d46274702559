import type { Insertable } from 'kysely';

import type { ArchiveDefinition } from '#archives/archive.ts';
import type { Database } from '#database/database.ts';
import type { ArchiveLogGroupRow } from '#database/rows/archive-rows.ts';

/** The values of an archive that matter to a test. */
export interface ArchiveValues {
  id?: string;
  target?: string;
  caller?: string;
  definition?: Partial<ArchiveDefinition>;
  endedAt?: number | null;
  lookDueAt?: number;
  /** Its log groups, from 1970 on. Default: `/app`. */
  logGroups?: (Partial<Insertable<ArchiveLogGroupRow>> & { logGroupName: string })[];
}

/** Inserts an archive with its log groups. Returns its id. */
export async function insertArchive(
  { queries }: Database,
  values: ArchiveValues = {},
): Promise<string> {
  const { id = 'archive', target = 'default', caller = 'anonymous', definition } = values;
  const { endedAt = null, lookDueAt = 0, logGroups = [{ logGroupName: '/app' }] } = values;
  const whole: ArchiveDefinition = {
    logGroupNames: logGroups.map(({ logGroupName }) => logGroupName),
    logGroupNamePrefix: null,
    exceptLogGroupNamePrefixes: [],
    partitionBy: 'hour',
    fromAt: 0,
    toAt: null,
    destination: 'archive',
    destinationPrefix: 'archives/{logGroup}/{yyyy}/{MM}/{dd}/{HH}/r{revision}/{attempt}',
    priority: -5,
    refreshDays: 0,
    catchUpDays: null,
    verification: 'objects',
    heartbeatUrl: null,
    isOverloadAllowed: false,
    ...definition,
  };
  await queries
    .insertInto('archives')
    .values({
      id,
      target,
      caller,
      principal: JSON.stringify({ id: caller }),
      name: id,
      definition: JSON.stringify(whole),
      createdAt: 0,
      endedAt,
      lookDueAt,
    })
    .execute();
  await queries
    .insertInto('archiveLogGroups')
    .values(
      logGroups.map((logGroup) => ({
        archiveId: id,
        incarnation: 1,
        createdAt: 0,
        seenAt: 0,
        ...logGroup,
      })),
    )
    .execute();
  return id;
}

/** Reads the ranges of the ledgers of all archives. */
export const readLedger = ({ queries }: Pick<Database, 'queries'>) =>
  queries
    .selectFrom('archiveRanges')
    .selectAll()
    .orderBy('archiveId')
    .orderBy('logGroupName')
    .orderBy('incarnation')
    .orderBy('fromAt')
    .execute();
