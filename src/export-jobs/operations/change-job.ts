import type { Authorizer, CallerRequest, Question } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';
import { requireEach, toExportQuestion } from '../access/export-question.ts';
import type { FoundJob, JobAccess } from '../access/job-access.ts';
import { readPrefixTemplate } from '../planning/prefix-template.ts';
import { type FailedLogGroup, readFailedLogGroups } from '../store/reads/read-slices.ts';
import { cancelJob } from '../store/requests/cancel-job.ts';
import { retryJob } from '../store/requests/retry-job.ts';
import { readTaskParameters } from '../task-parameters.ts';

/** The changes of a job that its callers can request. */
export interface JobChanges {
  /**
   * Requests the cancel of a job: at once for waiting slices, through AWS for a running one.
   * @throws Problem export-job-not-found
   */
  cancel(request: CallerRequest, jobId: string): Promise<void>;
  /**
   * Puts the failed slices of a job back into the queue, and returns their number.
   * @throws Problem export-job-not-found, export-job-of-archive, not-permitted, export-job-cancelled,
   * too-many-waiting-slices
   */
  retry(request: CallerRequest, jobId: string): Promise<number>;
}

/** What changes of jobs need. */
export interface JobChangesOptions {
  authorizer: Authorizer;
  database: Database;
  access: JobAccess;
  /** Announces a changed job to its watchers and to the dispatcher of its target. */
  announce: (jobId: string, target: string) => void;
  maxWaitingSlices: number;
}

/** Makes the changes of jobs. */
export function makeJobChanges(options: JobChangesOptions): JobChanges {
  const { authorizer, database, access, announce, maxWaitingSlices } = options;
  return {
    async cancel(request, jobId) {
      const { policies } = await access.find(request, 'CancelExportJob', jobId);
      const { target } = await cancelJob(database, jobId, { request, policies });
      announce(jobId, target);
    },

    async retry(request, jobId) {
      const found = await access.find(request, 'RetryExportJob', jobId);
      if (found.head.archiveId !== null) throw ofArchive(found.head.archiveId);
      const isOwn = found.head.caller === request.principal.id;
      const failures = await readFailedLogGroups(database, jobId);
      const refusal = isOwn ? undefined : notPermitted;
      const toQuestion = makeRetryQuestion(found);
      const creating = await requireEach(authorizer, request, failures, toQuestion, refusal);

      const approval = { request, policies: [...found.policies, ...creating] };
      const { target, slices } = await retryJob(database, jobId, approval, maxWaitingSlices);
      announce(jobId, target);
      return slices;
    },
  };
}

/**
 * Makes the function that asks about a retry, which is an export. Each slice is decided again before it is sent.
 */
function makeRetryQuestion({ head, target }: FoundJob): (failed: FailedLogGroup) => Question {
  const { id: jobId, destination, prefixTemplate, timeZone, priority, revision } = head;
  const taskParameters = readTaskParameters(head.taskParameters);
  const template = readPrefixTemplate(prefixTemplate, { target, jobId, timeZone, revision });
  return (failed) => {
    const destinationPrefix = taskParameters
      ? prefixTemplate
      : template.render({ ...failed, attempt: failed.attempt + 1 });
    const values = { ...failed, taskParameters, destination, destinationPrefix, priority };
    return toExportQuestion(target, values);
  };
}

// The archive may have exported the partition since, with another job: a retry would replace that by an older revision.
const ofArchive = (archiveId: string) =>
  new Problem('export-job-of-archive', `This job exports a partition of the archive ${archiveId}.`);

// A caller that may retry a job of another caller may not know its log groups.
const notPermitted = () =>
  new Problem('not-permitted', 'No policy permits you to export all failed slices.');
