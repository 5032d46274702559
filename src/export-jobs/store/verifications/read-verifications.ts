import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import type { VerifiedRow } from '../../verification/verification-view.ts';

/** Reads the verifications with which some slices of a job were completed. */
export async function readVerifications(
  { queries }: Database,
  jobId: string,
  slices: readonly number[],
): Promise<VerifiedRow[]> {
  if (slices.length === 0) return [];
  const rows = await queries
    .selectFrom('verifications')
    .selectAll()
    .where('jobId', '=', jobId)
    .where('slice', 'in', slices)
    .where('endedAt', 'is not', null)
    .where('method', 'is not', null)
    .execute();
  return rows as ((typeof rows)[number] & { endedAt: number })[];
}

/** The totals of verified exports of jobs, as columns of a query with a row for each job. */
export const verifiedTotals = [
  sql<number>`count(case when method <> 'skipped' then 1 end)`.as('verifiedSlices'),
  sql<number>`count(case when is_empty = 1 then 1 end)`.as('emptySlices'),
  sql<number>`count(case when method = 'skipped' then 1 end)`.as('skippedSlices'),
  sql<number>`cast(coalesce(sum(objects), 0) as bigint)`.as('objects'),
  sql<number>`cast(coalesce(sum(bytes), 0) as bigint)`.as('bytes'),
  sql<number>`cast(coalesce(sum(streams), 0) as bigint)`.as('streams'),
] as const;
