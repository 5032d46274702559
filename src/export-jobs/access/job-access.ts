import type {
  Authorizer,
  CallerRequest,
  Question,
  TargetIdentity,
} from '#auth/authorization/authorizer.ts';
import type { Principal } from '#auth/principal.ts';
import { setAsNewest } from '#caching/bounded-map.ts';
import { Problem } from '#problems/problem.ts';
import type { Target } from '#targets/target.ts';
import { inChunks } from '../in-chunks.ts';
import type { JobHead, readLogGroups } from '../store/reads/read-heads.ts';
import { decisionsAtOnce } from './export-question.ts';

/** What there is to do with a job that is there. */
type JobAction = 'ReadExportJob' | 'CancelExportJob' | 'RetryExportJob';

/** A job somebody may do something with. */
export interface FoundJob {
  head: JobHead;
  /** Where it exports. */
  target: TargetIdentity;
  /** Ids of the policies that let the request. */
  policies: readonly string[];
}

/** A job of a list, and whether it may be seen there. */
interface JudgedJob {
  head: JobHead;
  isPermitted: boolean;
  /** How many decisions that took. */
  decisions: number;
}

/** The one way to a job: by who asks. */
export interface JobAccess {
  /**
   * A job the caller may do this with: each of its log groups permits it. Any other looks like one that
   * is not there, and takes as long: the same query, and one decision.
   * @throws Problem export-job-not-found
   */
  find(request: CallerRequest, action: JobAction, jobId: string): Promise<FoundJob>;
  /** Says of each job of a list, one after the other, whether the caller may read it. */
  evaluate(request: CallerRequest, heads: readonly JobHead[]): AsyncGenerator<JudgedJob>;
}

/** What access to jobs goes by. */
export interface JobAccessOptions {
  authorizer: Authorizer;
  /** The targets there are now. */
  listTargets: () => readonly Target[];
  headOf: (jobId: string) => Promise<JobHead | undefined>;
  readLogGroups: (
    head: JobHead,
    from: number,
  ) => Promise<Awaited<ReturnType<typeof readLogGroups>>>;
}

// Of each caller. An answer is some hundred bytes; of few, and a job of a thousand log groups is
// decided of over and over.
const maxRemembered = 1_000;

/** Answers about all but the first log group of jobs, as long as the policies are the same. */
interface Memory {
  version: number;
  answers: Map<string, Promise<Pick<JudgedJob, 'isPermitted' | 'decisions'>>>;
}

const nothingMore = { isPermitted: true, decisions: 0 };

/** Makes the way to the jobs. */
export function makeJobAccess(options: JobAccessOptions): JobAccess {
  const { authorizer, listTargets, headOf, readLogGroups } = options;
  const memories = new WeakMap<Principal, Memory>();

  /** By the configuration; of a target that is not in it now, by who worked its slot last. */
  function targetOf({ target, accountId, region }: JobHead): TargetIdentity {
    const known = listTargets().find(({ name }) => name === target);
    return known ?? { name: target, accountId: accountId ?? '', region: region ?? '' };
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

  async function evaluateFurther(request: CallerRequest, action: JobAction, head: JobHead) {
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

  /** Of a job's further log groups, if it has any: they are the same each time, so they are asked once. */
  async function evaluateRest(request: CallerRequest, action: JobAction, head: JobHead) {
    if (!head.hasMoreLogGroups || authorizer.isOpen) return nothingMore;
    const answers = memoryOf(request.principal);
    const key = `${action} ${head.id}`;
    const known = answers.get(key);
    if (known) return { ...(await known), decisions: 0 };
    const answer = evaluateFurther(request, action, head);
    setAsNewest(answers, key, answer, maxRemembered);
    answer.catch(() => answers.delete(key)); // the database was away: whoever comes next asks again
    return answer;
  }

  return {
    async find(request, action, jobId) {
      const found = await headOf(jobId);
      const head = found ?? placeholder(jobId, listTargets()[0]?.name);
      const question = toJobQuestion(request, action, head, head.logGroupName);
      const { isPermitted, policies } = authorizer.decide(request, question);
      const isLet = found && isPermitted && (await evaluateRest(request, action, head)).isPermitted;
      if (!isLet) throw new Problem('export-job-not-found', 'You have no export job with this id.');
      return { head, target: targetOf(head), policies };
    },

    async *evaluate(request, heads) {
      for await (const some of inChunks(heads, decisionsAtOnce)) {
        const toQuestion = (head: JobHead) =>
          toJobQuestion(request, 'ReadExportJob', head, head.logGroupName);
        const permitted = new Set(authorizer.filterPermitted(request, some, toQuestion));
        for (const head of some) {
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
