import type { Updateable } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import type { VerificationRow } from '#database/rows/verification-row.ts';
import { lockJob } from '../lock-job.ts';
import { staleState } from '../steps/stale-state.ts';
import type { ClaimedVerification } from './claim-verification.ts';
import { guardVerification, heldBy } from './due-verifications.ts';
import { type Findings, toColumns } from './findings.ts';

/**
 * Stores what was found, before the manifest is written from it: after a crash, the next process writes
 * the same bytes.
 * @throws an error named StaleState when another process has the verification
 */
export async function recordFindings(
  database: Database,
  claim: ClaimedVerification,
  leaseMs: number,
  findings: Findings,
): Promise<void> {
  await database.transaction(async (queries) => {
    await guardVerification(database, claim, leaseMs).hold(queries);
    await heldBy(queries, claim).set(toColumns(findings)).execute();
  });
}

/**
 * Notes that a query has started that counts log events. Returns how many there were for the verification.
 * @throws an error named StaleState when another process has it
 */
export async function recordQuery(
  { queries }: Pick<Database, 'queries'>,
  claim: ClaimedVerification,
): Promise<number> {
  const row = await heldBy(queries, claim)
    .set((of) => ({ queries: of('queries', '+', 1) }))
    .returning('queries')
    .executeTakeFirst();
  if (!row) throw staleState();
  return row.queries;
}

/** Stores the end of a verification, in the transaction of the step of its slice. */
export async function endVerification(
  queries: Queries,
  { now }: Pick<Database, 'now'>,
  claim: ClaimedVerification,
  columns: Updateable<VerificationRow>,
): Promise<void> {
  await heldBy(queries, claim)
    .set({ ...columns, endedAt: now(), owner: null })
    .execute();
}

/**
 * Releases a verification until it is due again, with the problem of its slice if that is new. It is no
 * error when another process has it by now.
 */
export async function putOffVerification(
  database: Database,
  claim: ClaimedVerification,
  inMs: number,
  problem: string | undefined,
): Promise<void> {
  await database.transaction(async (queries) => {
    const { numUpdatedRows } = await heldBy(queries, claim)
      .set((row) => ({ owner: null, dueAt: row(database.now(), '+', Math.round(inMs)) }))
      .executeTakeFirst();
    if (numUpdatedRows === 0n || problem === undefined || problem === claim.problem) return;
    await lockJob(queries, claim.jobId);
    await queries
      .updateTable('slices')
      .set({ problem })
      .where('jobId', '=', claim.jobId)
      .where('number', '=', claim.slice)
      .execute();
  });
}
