import type { Transaction } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import type { Tables } from '#database/tables.ts';

/** The right to look at an archive. It is valid until another process takes a later look. */
export interface LookLease {
  archiveId: string;
  owner: string;
  /** The fencing number. */
  looks: number;
}

const name = 'StaleLook';

/** Whether another process has taken up the archive, or a caller has changed it meanwhile. */
export function isStaleLook(error: unknown): boolean {
  return error instanceof Error && error.name === name;
}

const staleLook = () => Object.assign(new Error('The archive was taken up or changed'), { name });

/** What a look knows of its archive after it has renewed its lease. Instants are epoch ms. */
interface HeldLook {
  /** Now, by the clock of the database. */
  at: number;
  /** When the next look is due. It is early if something happened since this one was taken up. */
  lookDueAt: number;
}

/** What a look writes with. */
export interface LookWriter {
  database: Database;
  lease: LookLease;
  leaseMs: number;
  /** The version of the archive that the look has read. */
  version: number;
}

/** Renews the lease of a look. @throws an error named StaleLook */
export async function holdLook(
  { lease, leaseMs, version, database: { now } }: LookWriter,
  queries: Queries,
  lookDueInMs?: number,
): Promise<HeldLook> {
  const held = await queries
    .updateTable('archives')
    .set((row) => ({
      leasedUntil: row(now(), '+', leaseMs),
      ...(lookDueInMs !== undefined && { lookDueAt: row(now(), '+', lookDueInMs) }),
    }))
    .where('id', '=', lease.archiveId)
    .where('owner', '=', lease.owner)
    .where('looks', '=', lease.looks)
    .where('version', '=', version)
    .returning(['leasedUntil', 'lookDueAt'])
    .executeTakeFirst();
  if (!held) throw staleLook();
  return { at: held.leasedUntil - leaseMs, lookDueAt: held.lookDueAt };
}

/**
 * Runs a transaction of a look. Nothing is written if another process has taken up the archive, or a caller has
 * changed it since. The archive is locked first.
 * @throws an error named StaleLook
 */
export function writeOfLook<Result>(
  writer: LookWriter,
  act: (queries: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  return writeAfterJobs(writer, async () => {}, act);
}

/** The same, after `lockJobs`: all transactions lock jobs, then archives, then log groups. */
export async function writeAfterJobs<Locked, Result>(
  writer: LookWriter,
  lockJobs: (queries: Transaction<Tables>) => Promise<Locked>,
  act: (queries: Transaction<Tables>, locked: Locked) => Promise<Result>,
): Promise<Result> {
  const { database } = writer;
  const result = await database.transaction(async (queries) => {
    const locked = await lockJobs(queries);
    await holdLook(writer, queries);
    return act(queries, locked);
  });
  await database.checkpoint(); // a first look at ten thousand log groups writes many pages
  return result;
}

/** Releases a look, if it is still ours. Others can take the archive up at once. */
export async function releaseLook(
  { queries }: Pick<Database, 'queries'>,
  { archiveId, owner, looks }: LookLease,
): Promise<void> {
  await queries
    .updateTable('archives')
    .set({ owner: null })
    .where('id', '=', archiveId)
    .where('owner', '=', owner)
    .where('looks', '=', looks)
    .execute();
}
