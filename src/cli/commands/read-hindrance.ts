import type { GatewayClient } from '../connection/gateway-client.ts';
import { withQuery } from '../connection/query.ts';
import type { Hindrance, JobDocument, SliceDocument } from '../documents.ts';
import { jobPath } from './job-path.ts';

// As the API allows.
const perPage = 100;
// Lower: the problem of a large job is missed. Higher: each change of a job with 10,000 slices costs many requests.
const maxPages = 10;

/**
 * Reads why none of the waiting slices of a job runs: the problem of its target, or that of its last attempt. If AWS
 * accepts no create, the last attempt says more than the target.
 * @throws CommandError
 */
export async function readHindrance(
  job: JobDocument,
  client: GatewayClient,
): Promise<Hindrance | undefined> {
  const problem = job.queue?.problem;
  if (problem && problem.since === undefined) return { problem };
  const { waiting, running, cancelling, verifying } = job.sliceCounts;
  if (waiting === 0 || running + cancelling + verifying > 0) return undefined;
  const slices = await Array.fromAsync(waitingSlicesOf(job.id, client));
  const [last] = slices
    .flatMap(({ attempts }) => attempts.slice(-1))
    .sort((one, other) => other.submittedAt.localeCompare(one.submittedAt));
  if (last?.problem) return { problem: last.problem, attemptAt: last.submittedAt };
  return problem && { problem };
}

/** Yields the waiting slices of a job: those of the first pages. The newest attempt can be at any of them. */
async function* waitingSlicesOf(
  jobId: string,
  client: GatewayClient,
): AsyncGenerator<SliceDocument> {
  let cursor: string | undefined;
  for (let pages = 0; pages < maxPages; pages += 1) {
    const query = { state: 'waiting', limit: String(perPage), cursor };
    const path = withQuery(`${jobPath(jobId)}/slices`, query);
    const { document } = await client.send({ method: 'GET', path }, 'slices');
    const page = document as { slices: SliceDocument[]; nextCursor?: string };
    yield* page.slices;
    cursor = page.nextCursor;
    if (cursor === undefined) return;
  }
}
