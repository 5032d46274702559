import type { Insertable } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import type { VerificationRow } from '#database/rows/verification-row.ts';

/** A completed task whose export is to be verified. */
type BegunVerification = Pick<
  Insertable<VerificationRow>,
  'jobId' | 'slice' | 'attempt' | 'target' | 'accountId' | 'region' | 'taskId'
> & { caller: string };

/** Stores that an export is to be verified, in the transaction in which its slice leaves the slot. */
export async function beginVerification(
  queries: Queries,
  { now }: Pick<Database, 'now'>,
  begun: BegunVerification,
): Promise<void> {
  await queries
    .insertInto('verifications')
    .values({ ...begun, beganAt: now(), dueAt: now() })
    .execute();
}
