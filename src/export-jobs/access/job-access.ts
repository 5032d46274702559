import type {
  Authorizer,
  CallerRequest,
  Question,
  TargetIdentity,
} from '#auth/authorization/authorizer.ts';
import type { Principal } from '#auth/principal.ts';
import { setAsNewest } from '#caching/bounded-map.ts';
import { inChunks } from '#paging/in-chunks.ts';
import { Problem } from '#problems/problem.ts';
import { identityOf, type KnownTarget } from '#targets/target.ts';
import { toDateTime } from '#time/date-time.ts';
import type { DeletedJob } from '../store/deleted-job.ts';
import { isHead, type JobHead, type readLogGroups } from '../store/reads/read-heads.ts';
import { decisionsAtOnce } from './export-question.ts';

/** What a caller can do with an existing job. */
type JobAction = 'ReadExportJob' | 'CancelExportJob' | 'RetryExportJob';

/** A job that a request is permitted for. */
export interface FoundJob {
  head: JobHead;
  /** The target of the job. */
  target: TargetIdentity;
  /** The ids of the policies that permit the request. */
  policies: readonly string[];
}

/** A job of a list, and whether the caller may read it. */
interface EvaluatedJob {
  head: JobHead;
  isPermitted: boolean;
  /** The number of decisions that this took. */
  decisions: number;
}

/** Access to jobs, decided for the caller. Every operation on a job goes through it. */
export interface JobAccess {
  /**
   * Finds a job for an action that must be permitted for each of its log groups. Any other job looks
   * like one that does not exist, and takes as long: the same query and one decision. The caller of a
   * deleted job learns that it was deleted.
   * @throws Problem export-job-not-found, export-job-deleted
   */
  find(request: CallerRequest, action: JobAction, jobId: string): Promise<FoundJob>;
  /** Evaluates, job by job, which jobs of a list the caller may read. */
  evaluate(request: CallerRequest, heads: readonly JobHead[]): AsyncGenerator<EvaluatedJob>;
}

/** What access to jobs needs. */
export interface JobAccessOptions {
  authorizer: Authorizer;
  /** The configured target with this name, or the default one. */
  lookTarget: (name: string | undefined) => KnownTarget | undefined;
  findJob: (jobId: string) => Promise<JobHead | DeletedJob | undefined>;
  readLogGroups: (
    head: JobHead,
    from: number,
  ) => Promise<Awaited<ReturnType<typeof readLogGroups>>>;
}

// For each caller; an answer is some hundred bytes. Fewer: a job of a thousand log groups is decided
// over and over. More: many callers fill the memory.
const maxRemembered = 1_000;

/** Answers about the further log groups of jobs. They are valid for one version of the policies. */
interface Memory {
  version: number;
  answers: Map<string, Promise<Pick<EvaluatedJob, 'isPermitted' | 'decisions'>>>;
}

const noFurtherDecision = { isPermitted: true, decisions: 0 };

/** Makes the access to jobs. */
export function makeJobAccess(options: JobAccessOptions): JobAccess {
  const { authorizer, lookTarget, findJob, readLogGroups } = options;
  const memories = new WeakMap<Principal, Memory>();

  /**
   * The target of a job, from the configuration. What is not known there is from the last owner of its
   * slot.
   */
  function targetOf({ target, accountId, region }: JobHead): TargetIdentity {
    const known = lookTarget(target);
    if (known?.accountId !== undefined) return identityOf(known);
    return { name: target, accountId: accountId ?? '', region: known?.region ?? region ?? '' };
  }

  function toJobQuestion(
    request: CallerRequest,
    action: JobAction,
    head: JobHead,
    logGroupName: string,
  ): Question {
    const { caller, destination, prefixTemplate } = head;
    const { name, accountId, region } = targetOf(head);
    return {
      action,
      resource: { target: { name, accountId, region }, logGroupName },
      context: {
        destination,
        destinationPrefix: prefixTemplate,
        isOwn: caller === request.principal.id,
      },
    };
  }

  async function evaluateFurtherLogGroups(
    request: CallerRequest,
    action: JobAction,
    head: JobHead,
  ) {
    let decisions = 0;
    for (let next: number | undefined = 1; next !== undefined; ) {
      const page: Awaited<ReturnType<typeof readLogGroups>> = await readLogGroups(head, next);
      for await (const names of inChunks(page.logGroupNames, decisionsAtOnce)) {
        decisions += names.length;
        const toQuestion = (name: string) => toJobQuestion(request, action, head, name);
        const permitted = authorizer.filterPermitted(request, names, toQuestion);
        if (permitted.length < names.length) return { isPermitted: false, decisions };
      }
      next = page.next;
    }
    return { isPermitted: true, decisions };
  }

  function memoryOf(principal: Principal): Memory['answers'] {
    const version = authorizer.version();
    const known = memories.get(principal);
    if (known?.version === version) return known.answers;
    const memory: Memory = { version, answers: new Map() };
    memories.set(principal, memory);
    return memory.answers;
  }

  /** Evaluates all log groups after the first one, and remembers the answer: they never change. */
  async function evaluateRest(request: CallerRequest, action: JobAction, head: JobHead) {
    if (!head.hasMoreLogGroups || authorizer.isOpen) return noFurtherDecision;
    const answers = memoryOf(request.principal);
    const key = `${action} ${head.id}`;
    const known = answers.get(key);
    if (known) return { ...(await known), decisions: 0 };
    const answer = evaluateFurtherLogGroups(request, action, head);
    setAsNewest(answers, key, answer, maxRemembered);
    answer.catch(() => answers.delete(key)); // a failure, such as of the database, is no answer
    return answer;
  }

  return {
    async find(request, action, jobId) {
      const found = await findJob(jobId);
      const isThere = isHead(found);
      const head = isThere ? found : placeholder(jobId, lookTarget(undefined)?.name);
      const question = toJobQuestion(request, action, head, head.logGroupName);
      const { isPermitted, policies } = authorizer.decide(request, question);
      const isFound =
        isThere && isPermitted && (await evaluateRest(request, action, head)).isPermitted;
      if (!isFound) throw notFound(isThere ? undefined : found, request);
      return { head, target: targetOf(head), policies };
    },

    async *evaluate(request, heads) {
      for await (const chunk of inChunks(heads, decisionsAtOnce)) {
        const toQuestion = (head: JobHead) =>
          toJobQuestion(request, 'ReadExportJob', head, head.logGroupName);
        const permitted = new Set(authorizer.filterPermitted(request, chunk, toQuestion));
        for (const head of chunk) {
          if (!permitted.has(head)) yield { head, isPermitted: false, decisions: 1 };
          else {
            const { isPermitted, decisions } = await evaluateRest(request, 'ReadExportJob', head);
            yield { head, isPermitted, decisions: decisions + 1 };
          }
        }
      }
    },
  };
}

function notFound(deleted: DeletedJob | undefined, { principal }: CallerRequest): Problem {
  if (deleted?.caller !== principal.id)
    return new Problem('export-job-not-found', 'No export job that you may see has this id.');
  const detail = `This job was deleted at ${toDateTime(deleted.deletedAt)}.`;
  return new Problem('export-job-deleted', detail);
}

/** The head of a job that does not exist, to be decided like any other. */
function placeholder(id: string, target = ''): JobHead {
  return {
    id,
    caller: '',
    version: 0,
    target,
    destination: '',
    prefixTemplate: '',
    timeZone: '',
    priority: 0,
    acceptedAt: 0,
    logGroupName: '',
    fromAt: 0,
    hasMoreLogGroups: false,
    accountId: null,
    region: null,
  };
}
