import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import { shareAnswers } from '#caching/shared-answers.ts';
import type { Database } from '#database/database.ts';
import { inChunks } from '#paging/in-chunks.ts';
import type { CallerQueueName, JobVisibility } from '#targets/slot/job-visibility.ts';
import { readWaitingJobs } from '../queue/read-queue.ts';
import { findJobs, isHead, type JobHead, readHeads } from '../store/reads/read-heads.ts';
import type { JobAccess } from './job-access.ts';

/** What the visibility of jobs needs. */
export interface JobVisibilityOptions {
  database: Database;
  access: Pick<JobAccess, 'evaluate'>;
  authorizer: Pick<Authorizer, 'isOpen'>;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

// Each job takes one decision per log group. Fewer: operators see no names in a long queue. More: a
// caller that reads a target repeatedly has decisions made again each time, because 256 are
// remembered.
const maxJobs = 200;
const maxDecisions = 500;
// All callers share one reading, as with the queue itself.
const freshForMs = 1_000;

/** Makes the visibility of jobs. */
export function makeJobVisibility(options: JobVisibilityOptions): JobVisibility {
  const { database, access, authorizer, elapsed } = options;
  const waitingQueues = shareAnswers(
    async (target: string) => {
      const waiting = await readWaitingJobs(database.queries, target, maxJobs + 1);
      const jobIds = waiting.map(({ jobId }) => jobId);
      return toWaitingQueues(waiting, await readHeads(database, jobIds));
    },
    { freshForMs, elapsed },
  );

  return {
    async findHiddenJobs(request, jobIds) {
      if (authorizer.isOpen) return new Set();
      const jobs = [...(await findJobs(database, jobIds)).values()];
      const deletedOfOthers = jobs.filter(
        (job) => !isHead(job) && job.caller !== request.principal.id,
      );
      const hidden = new Set(deletedOfOthers.map(({ id }) => id));
      for await (const { head, isPermitted } of access.evaluate(request, jobs.filter(isHead))) {
        if (!isPermitted) hidden.add(head.id);
      }
      return hidden;
    },

    async findReadableQueues(request, target) {
      const readable: CallerQueueName[] = [];
      let decisions = 0;
      for await (const [queue] of inChunks(await waitingQueues(target), 1)) {
        const { heads, ...name } = queue as WaitingQueue;
        const evaluated = await evaluateAll(request, heads);
        if (evaluated.isPermitted) readable.push(name);
        decisions += evaluated.decisions;
        if (decisions >= maxDecisions) break;
      }
      return readable;
    },
  };

  /** Evaluates jobs up to the first refusal. */
  async function evaluateAll(request: CallerRequest, heads: readonly JobHead[]) {
    let decisions = 0;
    for await (const evaluated of access.evaluate(request, heads)) {
      decisions += evaluated.decisions;
      if (!evaluated.isPermitted) return { isPermitted: false, decisions };
    }
    return { isPermitted: true, decisions };
  }
}

/** A caller's queue with its waiting jobs. */
type WaitingQueue = CallerQueueName & { heads: JobHead[] };

/** Groups jobs into queues. Leaves out the last queue if it may have more jobs than were read. */
function toWaitingQueues(
  waiting: Awaited<ReturnType<typeof readWaitingJobs>>,
  heads: ReadonlyMap<string, JobHead>,
): WaitingQueue[] {
  const queues: WaitingQueue[] = [];
  for (const { priority, caller, jobId } of waiting) {
    const head = heads.get(jobId) as JobHead; // a job with waiting slices is never deleted
    const queue = queues.at(-1);
    if (queue?.priority === priority && queue.caller === caller) queue.heads.push(head);
    else queues.push({ priority, caller, heads: [head] });
  }
  return waiting.length > maxJobs ? queues.slice(0, -1) : queues;
}
