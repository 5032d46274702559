import { type RawBuilder, sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import type { OpenTarget } from '#targets/target.ts';
import type { StepGuard } from '../steps/hold-lease.ts';
import { staleState } from '../steps/stale-state.ts';

// No verification is put off for longer. Shorter: during an outage of AWS, many calls fail for nothing.
// Longer: after it, slices stay unverified.
export const maxPutOffMs = 300_000;

/**
 * Whether a row of `verifications` is due and free, at an instant. A time too far ahead counts as past: the
 * clock of the database was set back.
 */
export function whereDue(at: RawBuilder<number>, leaseMs: number): RawBuilder<boolean> {
  const past = (column: 'due_at' | 'leased_until', maxMs: number) =>
    sql`(${sql.ref(column)} <= ${at} or ${sql.ref(column)} > ${at} + ${sql.lit(maxMs)})`;
  return sql<boolean>`ended_at is null and ${past('due_at', maxPutOffMs)}
    and (owner is null or ${past('leased_until', leaseMs)})`;
}

/** Where exports run. The same name can mean another account or Region after a change of the configuration. */
export type Place = Pick<OpenTarget, 'name' | 'accountId' | 'region'>;

/** Whether a target has exports in its account and Region that are not verified yet. */
export async function hasVerifications(
  { queries }: Database,
  { name, accountId, region }: Place,
): Promise<boolean> {
  const row = await queries
    .selectFrom('verifications')
    .select('jobId')
    .where('target', '=', name)
    .where('accountId', '=', accountId)
    .where('region', '=', region)
    .where(sql<boolean>`ended_at is null`) // a literal, so that the partial index fits
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** A claim of a verification: who has it, and the fencing number. */
export interface VerificationLease {
  jobId: string;
  slice: number;
  attempt: number;
  owner: string;
  looks: number;
}

/** The rows of a lease that is still held. */
export function heldBy(
  queries: Queries,
  { jobId, slice, attempt, owner, looks }: VerificationLease,
) {
  return queries
    .updateTable('verifications')
    .where('jobId', '=', jobId)
    .where('slice', '=', slice)
    .where('attempt', '=', attempt)
    .where('owner', '=', owner)
    .where('looks', '=', looks)
    .where('endedAt', 'is', null);
}

/** Makes the guard of steps with a slice that is verified: the lease of the verification. */
export function guardVerification(
  database: Pick<Database, 'now'>,
  claim: VerificationLease & { target: string },
  leaseMs: number,
): StepGuard {
  const hold = async (queries: Queries) => {
    if (!(await renewVerification({ ...database, queries }, claim, leaseMs))) throw staleState();
  };
  return { target: claim.target, hold };
}

/** Renews the lease of a verification. Returns whether it is still held. */
export async function renewVerification(
  { queries, now }: Pick<Database, 'queries' | 'now'>,
  lease: VerificationLease,
  leaseMs: number,
): Promise<boolean> {
  const { numUpdatedRows } = await heldBy(queries, lease)
    .set((row) => ({ leasedUntil: row(now(), '+', leaseMs) }))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
