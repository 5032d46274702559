import type { Database, Queries } from '#database/database.ts';
import { isActive } from './line-reads.ts';

/** The right to work the slot of a target. It holds as long as nobody else has taken a later `fence`. */
export interface Lease {
  target: string;
  owner: string;
  fence: number;
}

/** Who wants to work which slot. */
export interface LeaseRequest {
  target: string;
  accountId: string;
  region: string;
  owner: string;
  leaseMs: number;
}

/** The lease, or why there is none: another has it, or the target's name means another place now. */
export type LeaseAnswer =
  | { lease: Lease }
  | { lease?: undefined; isMoved: boolean; freeInMs: number };

/**
 * Takes the lease of a slot if it is free, has run out, or is our own, of which the answer was lost;
 * with the next fencing number. All by the clock of the database. A target whose name has come to
 * mean another account or Region is left alone while a slice is under way there: it would be looked
 * for in the wrong place.
 */
export async function takeLease(database: Database, request: LeaseRequest): Promise<LeaseAnswer> {
  const { target, accountId, region, owner, leaseMs } = request;
  return database.transaction(async (queries) => {
    await queries
      .insertInto('slots')
      .values({ target, accountId, region })
      .onConflict((conflict) => conflict.column('target').doNothing())
      .execute();
    const taken = await queries
      .updateTable('slots')
      .set((row) => ({
        owner,
        accountId,
        region,
        fence: row('fence', '+', 1),
        leasedUntil: row(database.now(), '+', leaseMs),
        // Seen by the last owner, who watches it no more.
        ...{ foreignTaskId: null, foreignLogGroupName: null, foreignSince: null },
      }))
      .where('target', '=', target)
      .where((row) =>
        row.or([
          row('owner', 'is', null),
          row('owner', '=', owner),
          row('leasedUntil', '<=', database.now()),
        ]),
      )
      .where((row) =>
        row.or([
          row.and([row('accountId', '=', accountId), row('region', '=', region)]),
          row.not(
            row.exists(
              row
                .selectFrom('slices')
                .select('number')
                .where('slices.target', '=', target)
                .where(isActive),
            ),
          ),
        ]),
      )
      .returning('fence')
      .executeTakeFirst();
    if (taken) return { lease: { target, owner, fence: taken.fence } };
    const slot = await queries
      .selectFrom('slots')
      .select((row) => [
        'accountId',
        'region',
        row('leasedUntil', '-', database.now()).as('freeInMs'),
      ])
      .where('target', '=', target)
      .executeTakeFirstOrThrow();
    const isMoved = slot.accountId !== accountId || slot.region !== region;
    return { isMoved, freeInMs: Math.max(0, slot.freeInMs) };
  });
}

/**
 * The first statement of every transaction of the dispatcher: proves that the lease still holds,
 * renews it, and locks its row, so that nobody takes the slot before the transaction ends.
 * @throws an error named LeaseLost
 */
export async function holdLease(
  queries: Queries,
  database: Database,
  { target, owner, fence }: Lease,
  leaseMs: number,
): Promise<void> {
  const held = await queries
    .updateTable('slots')
    .set((row) => ({ leasedUntil: row(database.now(), '+', leaseMs) }))
    .where('target', '=', target)
    .where('owner', '=', owner)
    .where('fence', '=', fence)
    .executeTakeFirst();
  if (held.numUpdatedRows === 0n) {
    throw Object.assign(new Error(`The lease of the slot of ${target} is lost`), {
      name: leaseLost,
    });
  }
}

/** The name of the error of a lease that somebody else has taken. */
export const leaseLost = 'LeaseLost';

/** Gives the slot to whoever wants it next. Not being its owner any more is no error. */
export async function releaseLease(
  database: Database,
  { target, owner, fence }: Lease,
): Promise<void> {
  await database.queries
    .updateTable('slots')
    .set({ owner: null, leasedUntil: 0 })
    .where('target', '=', target)
    .where('owner', '=', owner)
    .where('fence', '=', fence)
    .execute();
}

/** A task of somebody else in the slot. */
export interface ForeignTask {
  taskId: string;
  logGroupName: string | undefined;
  since: number | undefined;
}

/** Writes down which foreign task is in the slot, or that there is none, for those who ask. */
export async function recordForeignTask(
  database: Database,
  { target, owner, fence }: Lease,
  task: ForeignTask | undefined,
): Promise<void> {
  await database.queries
    .updateTable('slots')
    .set({
      foreignTaskId: task?.taskId ?? null,
      foreignLogGroupName: task?.logGroupName ?? null,
      foreignSince: task?.since ?? null,
      foreignSeenAt: database.now(),
    })
    .where('target', '=', target)
    .where('owner', '=', owner)
    .where('fence', '=', fence)
    .execute();
}
