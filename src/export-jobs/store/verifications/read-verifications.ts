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

/** What some verifications of a job lacked. */
export interface ProofGaps {
  /** The actions that AWS denied. */
  deniedActions: string[];
  /** Whether a search for log events ended at its last permitted page, before the last page of AWS. */
  isSearchCut: boolean;
}

const deniableActions = [
  'logs:FilterLogEvents',
  'logs:StartQuery',
  'logs:GetQueryResults',
  's3:GetObject',
] as const;

// The evidence is JSON in a column of text, which both databases search. Most slices have none.
const mentions = (text: string) => sql`evidence like ${sql.lit(`%${text}%`)}`;
const whereUnproven = sql`is_empty = 1 and ${mentions('"isExhaustive":false')}`;

/** The totals of verified exports of jobs, as columns of a query with a row for each job. */
export const verifiedTotals = [
  sql<number>`count(case when method <> 'skipped' then 1 end)`.as('verifiedSlices'),
  sql<number>`count(case when is_empty = 1 then 1 end)`.as('emptySlices'),
  sql<number>`count(case when method = 'skipped' then 1 end)`.as('skippedSlices'),
  sql<number>`count(case when ${whereUnproven} then 1 end)`.as('unprovenSlices'),
  sql<number>`count(case when ${mentions('"countProblem"')} then 1 end)`.as('uncountedSlices'),
  sql<number>`count(case when ${whereUnproven} and ${mentions('"FilterLogEvents"')} then 1 end)`.as(
    'cutSearches',
  ),
  sql<string>`${sql.join(deniableActions.map(nameIfDenied), sql` || `)}`.as('deniedActions'),
  sql<number>`cast(coalesce(sum(objects), 0) as bigint)`.as('objects'),
  sql<number>`cast(coalesce(sum(bytes), 0) as bigint)`.as('bytes'),
  sql<number>`cast(coalesce(sum(streams), 0) as bigint)`.as('streams'),
] as const;

function nameIfDenied(action: string) {
  return sql`coalesce(max(case when ${mentions(`"${action}"`)} then ${sql.lit(`${action} `)} end), '')`;
}

/** Reads the gaps from the columns of the totals. */
export function toProofGaps(totals: {
  cutSearches: number | null;
  deniedActions: string | null;
}): ProofGaps {
  const deniedActions = (totals.deniedActions ?? '').split(' ').filter((action) => action !== '');
  return { deniedActions, isSearchCut: (totals.cutSearches ?? 0) > 0 };
}
