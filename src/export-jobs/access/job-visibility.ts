import type { Asker, Authorizer } from '#auth/authorization/authorizer.ts';
import { shareAnswers } from '#caching/shared-answers.ts';
import type { Database } from '#database/database.ts';
import type { JobSight, LineName } from '#targets/job-visibility.ts';
import { inParts } from '../in-chunks.ts';
import { readWaitingJobs } from '../queue/read-queue.ts';
import { type JobHead, readHeads } from '../store/reads/read-heads.ts';
import type { JobAccess } from './job-access.ts';

/** What it takes to say what may be told of jobs. */
export interface JobSightOptions {
  database: Database;
  access: Pick<JobAccess, 'judge'>;
  authorizer: Pick<Authorizer, 'isOpen'>;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

// Each takes a decision for each of its log groups. More, and who looks at a target over and over has
// them made anew each time: 256 are remembered. Fewer, and operators see no names in a long line.
const maxJobs = 200;
const maxDecisions = 500;
// Whatever the number of askers, as with the line itself.
const freshForMs = 1_000;

/** Makes what says which jobs may be told of. */
export function makeJobSight(options: JobSightOptions): JobSight {
  const { database, access, authorizer, elapsed } = options;
  const waitingLines = shareAnswers(
    async (target: string) => {
      const waiting = await readWaitingJobs(database.queries, target, maxJobs + 1);
      const jobIds = waiting.map(({ jobId }) => jobId);
      return linesOf(waiting, await readHeads(database, jobIds));
    },
    { freshForMs, elapsed },
  );

  return {
    async hiddenOf(asker, jobIds) {
      if (authorizer.isOpen) return new Set();
      const hidden = new Set<string>();
      const heads = [...(await readHeads(database, jobIds)).values()];
      for await (const { head, isPermitted } of access.judge(asker, heads)) {
        if (!isPermitted) hidden.add(head.id);
      }
      return hidden;
    },

    async readableLines(asker, target) {
      const readable: LineName[] = [];
      let decisions = 0;
      for await (const [line] of inParts(await waitingLines(target), 1)) {
        const { heads, ...name } = line as WaitingLine;
        const judged = await judgeAll(asker, heads);
        if (judged.isPermitted) readable.push(name);
        decisions += judged.decisions;
        if (decisions >= maxDecisions) break;
      }
      return readable;
    },
  };

  /** Up to the first no. */
  async function judgeAll(asker: Asker, heads: readonly JobHead[]) {
    let decisions = 0;
    for await (const judged of access.judge(asker, heads)) {
      decisions += judged.decisions;
      if (!judged.isPermitted) return { isPermitted: false, decisions };
    }
    return { isPermitted: true, decisions };
  }
}

/** A caller's line, and the jobs that wait in it. */
type WaitingLine = LineName & { heads: JobHead[] };

/** The lines of which all jobs are there; the last may go on behind the last job that was read. */
function linesOf(
  waiting: Awaited<ReturnType<typeof readWaitingJobs>>,
  heads: ReadonlyMap<string, JobHead>,
): WaitingLine[] {
  const lines: WaitingLine[] = [];
  for (const { priority, caller, jobId } of waiting) {
    const head = heads.get(jobId) as JobHead; // none is ever deleted
    const line = lines.at(-1);
    if (line?.priority === priority && line.caller === caller) line.heads.push(head);
    else lines.push({ priority, caller, heads: [head] });
  }
  return waiting.length > maxJobs ? lines.slice(0, -1) : lines;
}
