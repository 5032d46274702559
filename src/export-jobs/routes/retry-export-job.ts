import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Authorizer, Question } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';
import { requireEach, toExportQuestion } from '../access/export-question.ts';
import type { FoundJob, JobAccess } from '../access/job-access.ts';
import { ExportJob, exampleAccepted, exampleJob, JobParams } from '../export-job.ts';
import { readPrefixTemplate } from '../planning/prefix-template.ts';
import type { ShowJobNow } from '../presenters/show-job.ts';
import { type FailedLogGroup, readFailedLogGroups } from '../store/reads/read-slices.ts';
import { retryJob } from '../store/requests/retry-job.ts';

const RetriedExportJob = Type.Object(
  {
    retriedSlices: Type.Integer({
      minimum: 0,
      description: 'Number of failed slices that are in the queue again. 0 if no slice had failed.',
    }),
    exportJob: ExportJob,
  },
  {
    title: 'RetriedExportJob',
    description: 'The retried job.',
    examples: [
      { retriedSlices: 2, exportJob: { ...exampleAccepted, startedAt: exampleJob.startedAt } },
    ],
  },
);

/** What retrying a job needs. */
export interface RetryExportJobOptions {
  authorizer: Authorizer;
  database: Database;
  access: JobAccess;
  showNow: ShowJobNow;
  announce: (jobId: string, target: string) => void;
  maxWaitingSlices: number;
}

/** Puts the failed slices of an export job back into the queue. */
export const retryExportJob: FastifyPluginAsyncTypebox<RetryExportJobOptions> = async (
  app,
  { authorizer, database, access, showNow, announce, maxWaitingSlices },
) => {
  app.route({
    method: 'POST',
    url: '/export-jobs/:jobId/retry',
    schema: {
      operationId: 'retryExportJob',
      tags: ['export-jobs'],
      summary: 'Retry an export job',
      description:
        'Puts the failed slices into the queue again. If `destinationPrefix` has `{attempt}`, each attempt has its own prefix. The default `destinationPrefix` has it. Completed slices do not change. If a cancel of the job was requested, the answer is 409 `export-job-cancelled`. The policies must permit both `RetryExportJob` and `CreateExportJob`. The request is safe to repeat: without failed slices nothing changes.',
      params: JobParams,
      response: { 202: RetriedExportJob },
    },
    config: {
      action: 'RetryExportJob',
      problems: [
        'export-job-not-found',
        'not-permitted',
        'export-job-cancelled',
        'too-many-waiting-slices',
        'database-unavailable',
      ],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const { jobId } = request.params;
      const found = await access.find(request, 'RetryExportJob', jobId);
      const isOwn = found.head.caller === request.principal.id;
      const failures = await readFailedLogGroups(database, jobId);
      const refusal = isOwn ? undefined : notPermitted;
      const questions = toRetryQuestions(found, failures);
      const creating = await requireEach(authorizer, request, questions, refusal);

      const approval = { request, policies: [...found.policies, ...creating] };
      const { target, slices } = await retryJob(database, jobId, approval, maxWaitingSlices);
      announce(jobId, target);

      const { job } = await showNow(jobId);
      return reply.code(202).send({ retriedSlices: slices, exportJob: job });
    },
  });
};

/**
 * Makes the questions of a retry, which is an export. Each slice is decided again before it is sent.
 */
function* toRetryQuestions(
  { head, target }: FoundJob,
  failures: readonly FailedLogGroup[],
): Generator<Question> {
  const { id: jobId, destination, prefixTemplate, timeZone, priority } = head;
  const template = readPrefixTemplate(prefixTemplate, { target, jobId, timeZone });
  for (const failed of failures) {
    const destinationPrefix = template.render({ ...failed, attempt: failed.attempt + 1 });
    yield toExportQuestion(target, { ...failed, destination, destinationPrefix, priority });
  }
}

// A caller that may retry a job of another caller may not know its log groups.
const notPermitted = () =>
  new Problem('not-permitted', 'No policy permits you to export all failed slices.');
