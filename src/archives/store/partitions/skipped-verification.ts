import type { Queries } from '#database/database.ts';

/** Whether an export of a job could not be verified, because the service role may not list its objects. */
export async function isVerificationSkipped(queries: Queries, jobId: string): Promise<boolean> {
  const skipped = await queries
    .selectFrom('verifications')
    .select('slice')
    .where('jobId', '=', jobId)
    .where('method', '=', 'skipped')
    .limit(1)
    .executeTakeFirst();
  return skipped !== undefined;
}
