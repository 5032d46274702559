import type { Authorizer, CallerRequest, TargetIdentity } from '#auth/authorization/authorizer.ts';
import {
  type Evaluated,
  makeOwnedAccess,
  type ReadFurtherLogGroups,
} from '#auth/authorization/owned-access.ts';
import { Problem } from '#problems/problem.ts';
import { identityOf, type KnownTarget } from '#targets/target.ts';
import { toDateTime } from '#time/date-time.ts';
import type { DeletedJob } from '../store/deleted-job.ts';
import { isHead, type JobHead } from '../store/reads/read-heads.ts';

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
  evaluate(request: CallerRequest, heads: readonly JobHead[]): AsyncGenerator<Evaluated<JobHead>>;
}

/** What access to jobs needs. */
export interface JobAccessOptions {
  authorizer: Authorizer;
  /** The configured target with this name, or the default one. */
  lookTarget: (name: string | undefined) => KnownTarget | undefined;
  findJob: (jobId: string) => Promise<JobHead | DeletedJob | undefined>;
  readLogGroups: ReadFurtherLogGroups<JobHead>;
}

/** Makes the access to jobs. */
export function makeJobAccess(options: JobAccessOptions): JobAccess {
  const { authorizer, lookTarget, findJob, readLogGroups } = options;
  const owned = makeOwnedAccess<JobHead>({
    authorizer,
    toOwned: (head) => ({ ...head, key: head.id, target: targetOf(head) }),
    readFurtherLogGroups: readLogGroups,
  });

  /**
   * The target of a job, from the configuration. What is not known there is from the last owner of its
   * slot.
   */
  function targetOf({ target, accountId, region }: JobHead): TargetIdentity {
    const known = lookTarget(target);
    if (known?.accountId !== undefined) return identityOf(known);
    return { name: target, accountId: accountId ?? '', region: known?.region ?? region ?? '' };
  }

  return {
    async find(request, action, jobId) {
      const found = await findJob(jobId);
      const isThere = isHead(found);
      const head = isThere ? found : placeholder(jobId, lookTarget(undefined)?.name);
      const { isPermitted, policies } = await owned.decide(request, action, head);
      if (!isThere || !isPermitted) throw notFound(isThere ? undefined : found, request);
      return { head, target: targetOf(head), policies };
    },

    evaluate: (request, heads) => owned.evaluate(request, 'ReadExportJob', heads),
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
    revision: 1,
    archiveId: null,
    taskParameters: null,
    acceptedAt: 0,
    logGroupName: '',
    fromAt: 0,
    hasMoreLogGroups: false,
    accountId: null,
    region: null,
  };
}
