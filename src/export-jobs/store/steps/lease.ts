import type { Database, Queries } from '#database/database.ts';
import { whereActive } from '../slice-conditions.ts';

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

/**
 * The lease, what the clock of the database showed, and by how many ms it has been set back at least
 * since the owner before held the lease; or why there is none: another has it, or the target's name
 * means another place now.
 */
export type LeaseAnswer =
  | { lease: Lease; now: number; setBackMs: number }
  | { lease?: undefined; isMoved: boolean; freeInMs: number };

// Replicas of two versions may differ in how long theirs are. Fewer, and they take the slot from each
// other; more, and a slot stands still the longer when its owner died before the clock was set back.
const longestLeases = 2;

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
    const { heldUntil } = await queries
      .selectFrom('slots')
      .select('leasedUntil as heldUntil')
      .where('target', '=', target)
      .executeTakeFirstOrThrow();
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
          // No lease is that long: the clock was set back, and its owner may be gone.
          row('leasedUntil', '>', row(database.now(), '+', longestLeases * leaseMs)),
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
                .where(whereActive),
            ),
          ),
        ]),
      )
      .returning(['fence', 'leasedUntil'])
      .executeTakeFirst();
    if (taken) {
      const { fence, leasedUntil } = taken;
      const setBackMs = Math.max(0, heldUntil - leasedUntil);
      return { lease: { target, owner, fence }, now: leasedUntil - leaseMs, setBackMs };
    }
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
 * renews it, and locks its row, so that nobody takes the slot before the transaction ends. Returns
 * what the clock of the database shows.
 * @throws an error named LeaseLost
 */
export async function holdLease(
  queries: Queries,
  database: Database,
  { target, owner, fence }: Lease,
  leaseMs: number,
): Promise<number> {
  const held = await queries
    .updateTable('slots')
    .set((row) => ({ leasedUntil: row(database.now(), '+', leaseMs) }))
    .where('target', '=', target)
    .where('owner', '=', owner)
    .where('fence', '=', fence)
    .returning('leasedUntil')
    .executeTakeFirst();
  if (!held) {
    throw Object.assign(new Error(`The lease of the slot of ${target} is lost`), {
      name: leaseLost,
    });
  }
  return held.leasedUntil - leaseMs;
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
    .set({ owner: null, leasedUntil: database.now() })
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
