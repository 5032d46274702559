import type { Database, Queries } from '#database/database.ts';
import type { BackOffLimits } from '#time/back-off.ts';
import { standBack } from '../membership.ts';
import { whereActive } from '../slice-conditions.ts';

/** The right to work the slot of a target. It is valid until another owner takes a later `fence`. */
export interface Lease {
  target: string;
  owner: string;
  fence: number;
}

/** A request for a lease. */
export interface LeaseRequest {
  target: string;
  accountId: string;
  region: string;
  owner: string;
  leaseMs: number;
  /** The replica that should have taken it and did not, and how long it stands back. */
  passedOver?: { owner: string; standsBack: BackOffLimits };
}

/**
 * The lease, the time on the database's clock, and by how many ms that clock was set back at least
 * since the last owner renewed. Then how long ago, in ms, a create was sent, and a complete sweep began;
 * null for never, or if that is unknown. Without a lease: whether the target has moved to another account or Region, and in
 * how many ms the current lease ends.
 */
export type LeaseAnswer =
  | {
      lease: Lease;
      now: number;
      setBackMs: number;
      sentAgoMs: number | null;
      sweptAgoMs: number | null;
    }
  | { lease?: undefined; isMoved: boolean; freeInMs: number };

// A lease longer than this many of ours is invalid. Lower: replicas of two versions with different
// lease lengths take the slot from each other. Higher: after the clock was set back, the slot of a
// dead owner stands still for longer.
const maxLeaseFactor = 2;

/**
 * Takes the lease of a slot with the next fencing number, by the clock of the database. The lease
 * must be free, expired, or our own (the answer to an earlier request was lost). If the name of the
 * target now means another account or Region, the slot stays untouched while it has an active slice:
 * the task of that slice would be looked for in the wrong place.
 */
export async function takeLease(database: Database, request: LeaseRequest): Promise<LeaseAnswer> {
  const { target, accountId, region, owner, leaseMs, passedOver } = request;
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
        // The last owner saw it and watches it no longer.
        foreignTaskId: null,
        foreignLogGroupName: null,
        foreignSince: null,
      }))
      .where('target', '=', target)
      .where((row) =>
        row.or([
          row('owner', 'is', null),
          row('owner', '=', owner),
          row('leasedUntil', '<=', database.now()),
          // No valid lease is that long: the clock was set back, and the owner may be gone.
          row('leasedUntil', '>', row(database.now(), '+', maxLeaseFactor * leaseMs)),
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
      .returning(['fence', 'leasedUntil', 'sentAt', 'sweptAt'])
      .executeTakeFirst();
    if (taken) {
      if (passedOver) {
        await standBack(queries, database, { ...passedOver, target }, passedOver.standsBack);
      }
      const { fence, leasedUntil, sentAt, sweptAt } = taken;
      const now = leasedUntil - leaseMs;
      const sentAgoMs = sentAt && Math.max(0, now - sentAt);
      // A sweep in the future is from before the clock was set back: how long ago it was is unknown.
      const sweptAgoMs = sweptAt !== null && sweptAt <= now ? now - sweptAt : null;
      const setBackMs = Math.max(0, heldUntil - leasedUntil);
      return { lease: { target, owner, fence }, now, setBackMs, sentAgoMs, sweptAgoMs };
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
 * Proves that the lease is still valid, renews it, and locks its row, so that no other owner takes the
 * slot before the transaction ends. It is the first statement of every transaction of the dispatcher.
 * Returns the time on the database's clock.
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
  if (!held) throw leaseLostError(target);
  return held.leasedUntil - leaseMs;
}

/**
 * The right to take a step with a slice. `hold` proves it, and locks it until the transaction ends. It is
 * the first statement of the transaction.
 */
export interface StepGuard {
  target: string;
  hold: (queries: Queries) => Promise<unknown>;
}

/** Makes the guard of steps with the slice in a slot: its lease. */
export function guardSlot(database: Database, lease: Lease, leaseMs: number): StepGuard {
  const hold = (queries: Queries) => holdLease(queries, database, lease, leaseMs);
  return { target: lease.target, hold };
}

/** The name of the error of a lease that another owner has taken. */
export const leaseLost = 'LeaseLost';

/** Makes that error. */
export function leaseLostError(target: string): Error {
  return Object.assign(new Error(`The lease of the slot of ${target} is lost`), {
    name: leaseLost,
  });
}

/** What the owner of a slot leaves for the next one. */
export interface Release {
  /** How long it lets others go first, if it does. */
  standsBack?: BackOffLimits | undefined;
  /** How long ago its last complete orphan sweep began, in ms. */
  sweptAgoMs?: number | undefined;
}

/**
 * Releases a lease, and tells the other replicas. It is no error when another owner has it by now.
 */
export async function releaseLease(
  database: Database,
  { target, owner, fence }: Lease,
  { standsBack, sweptAgoMs }: Release = {},
): Promise<void> {
  const { now } = database;
  await database.transaction(async (queries) => {
    const { numUpdatedRows } = await queries
      .updateTable('slots')
      .set((row) => ({
        owner: null,
        leasedUntil: now(),
        ...(sweptAgoMs !== undefined && { sweptAt: row(now(), '-', sweptAgoMs) }),
      }))
      .where('target', '=', target)
      .where('owner', '=', owner)
      .where('fence', '=', fence)
      .executeTakeFirst();
    if (standsBack && numUpdatedRows > 0n) {
      await standBack(queries, database, { target, owner }, standsBack);
    }
    await database.notify(queries, target);
  });
}
