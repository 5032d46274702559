import type { GatewayClient } from '../connection/gateway-client.ts';
import { withQuery } from '../connection/query.ts';
import type { Hindrance, JobDocument, SliceDocument } from '../documents.ts';
import { jobPath } from './job-path.ts';

/**
 * Reads why none of the waiting slices of a job runs: the problem of its target, or that of its last attempt. AWS can
 * refuse each attempt of a job although its target is ready. Such a job would look as if it only waited.
 * @throws CommandError
 */
export async function readHindrance(
  job: JobDocument,
  client: GatewayClient,
): Promise<Hindrance | undefined> {
  if (job.queue?.problem) return { problem: job.queue.problem };
  const { waiting, running, cancelling, verifying } = job.sliceCounts;
  if (waiting === 0 || running + cancelling + verifying > 0) return undefined;
  const path = withQuery(`${jobPath(job.id)}/slices`, { state: 'waiting' });
  const { document } = await client.send({ method: 'GET', path }, 'slices');
  const [last] = (document as { slices: SliceDocument[] }).slices
    .flatMap(({ attempts }) => attempts.slice(-1))
    .sort((one, other) => other.submittedAt.localeCompare(one.submittedAt));
  return last?.problem && { problem: last.problem, attemptAt: last.submittedAt };
}
