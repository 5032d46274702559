import type { GatewayClient } from '../connection/gateway-client.ts';
import { withQuery } from '../connection/query.ts';
import { isRefusedRequest } from '../connection/refused-request.ts';
import type { Hindrance, JobDocument, SliceDocument } from '../documents.ts';
import { jobPath } from './job-path.ts';

// As the API allows.
const perPage = 100;
// Lower: the problem of a large job is missed. Higher: a job with 10,000 slices costs many requests.
const maxPages = 10;

/**
 * Reads why none of the waiting slices of a job runs: the problem of its target, or that of its last attempt. If AWS
 * accepts no create, the last attempt says more than the target. It reads up to `pages` pages of 100 slices. The attempts
 * of a page that the gateway refuses are unknown, as are those of the pages after it.
 * @throws CommandError of exit code 5 while the gateway is away
 */
export async function readHindrance(
  job: JobDocument,
  client: GatewayClient,
  pages = maxPages,
): Promise<Hindrance | undefined> {
  const problem = job.queue?.problem;
  if (problem && problem.since === undefined) return { problem };
  const { waiting, running, cancelling, verifying } = job.sliceCounts;
  if (waiting === 0 || running + cancelling + verifying > 0) return undefined;
  const slices = await Array.fromAsync(waitingSlicesOf(job.id, client, pages));
  const [last] = slices
    .flatMap(({ attempts }) => attempts.slice(-1))
    .sort((one, other) => other.submittedAt.localeCompare(one.submittedAt));
  if (last?.problem) return { problem: last.problem, attemptAt: last.submittedAt };
  return problem && { problem };
}

interface SlicePage {
  slices: SliceDocument[];
  nextCursor?: string;
}

function unlessRefused(error: unknown): undefined {
  if (!isRefusedRequest(error)) throw error;
}

/** Yields the waiting slices of a job: those of the first pages. The newest attempt can be at any of them. */
async function* waitingSlicesOf(
  jobId: string,
  client: GatewayClient,
  pages: number,
): AsyncGenerator<SliceDocument> {
  let cursor: string | undefined;
  for (let page = 0; page < pages; page += 1) {
    const query = { state: 'waiting', limit: String(perPage), cursor };
    const path = withQuery(`${jobPath(jobId)}/slices`, query);
    const answer = await client.send({ method: 'GET', path }, 'slices').catch(unlessRefused);
    if (!answer) return;
    const { slices, nextCursor } = answer.document as SlicePage;
    yield* slices;
    if (nextCursor === undefined) return;
    cursor = nextCursor;
  }
}
