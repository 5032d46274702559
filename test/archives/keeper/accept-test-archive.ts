import { randomUUID } from 'node:crypto';

import type { ArchiveDefinition } from '#archives/archive.ts';
import { anonymous, type Principal } from '#auth/principal.ts';
import type { Database } from '#database/database.ts';

/** The values of an archive that matter to a test. */
export interface TestArchive extends Partial<ArchiveDefinition> {
  target?: string;
  principal?: Principal;
}

/** Inserts an archive by day. Returns its id. */
export async function acceptTestArchive(
  { queries, now }: Database,
  { target = 'default', principal = anonymous, ...definition }: TestArchive,
): Promise<string> {
  const id = randomUUID();
  const whole: ArchiveDefinition = {
    logGroupNames: null,
    logGroupNamePrefix: null,
    exceptLogGroupNamePrefixes: [],
    partitionBy: 'day',
    fromAt: 0,
    toAt: null,
    destination: 'archive',
    destinationPrefix: '{logGroup}/{yyyy}/{MM}/{dd}/{HH}/r{revision}/{attempt}',
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
      caller: principal.id,
      principal: JSON.stringify(principal),
      name: 'an archive',
      definition: JSON.stringify(whole),
      createdAt: now(),
      lookDueAt: now(),
    })
    .execute();
  return id;
}
