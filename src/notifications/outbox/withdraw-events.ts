import type { Queries } from '#database/database.ts';

/** A job whose events are withdrawn. */
interface WithdrawnJob {
  jobId: string;
  caller: string;
  target: string;
  /** Epoch ms. No event of the job is older. */
  acceptedAt: number;
}

/**
 * Deletes the events of a job that is deleted, in the transaction of the caller, with their deliveries. A delivery
 * that was tried stays: its destination may have the event.
 */
export async function withdrawEvents(
  queries: Queries,
  { jobId, caller, target, acceptedAt }: WithdrawnJob,
): Promise<void> {
  // The outbox first: an event that becomes deliveries at this moment is waited for.
  await queries
    .deleteFrom('notificationEvents')
    .where('at', '>=', acceptedAt)
    .where('jobId', '=', jobId)
    .execute();
  const endpoints = queries
    .selectFrom('webhookEndpoints')
    .select('id')
    .where('caller', '=', caller);
  const sinks = queries
    .selectFrom('notificationSinks')
    .select('destination as id')
    .where('target', '=', target);
  // By destination and time, because no index has the job.
  await queries
    .deleteFrom('deliveries')
    .where('destination', 'in', endpoints.unionAll(sinks))
    .where('at', '>=', acceptedAt)
    .where('jobId', '=', jobId)
    .where('state', '=', 'pending')
    .where('tries', '=', 0)
    .execute();
}
