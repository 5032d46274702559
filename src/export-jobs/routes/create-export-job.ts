import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { TargetName } from '#export-tasks/export-task.ts';
import { awsLimits, inWords, statedLimits } from '#problems/limits.ts';
import { toProblem } from '#problems/plugin.ts';
import { awsCallProblems } from '#problems/problems-of-operation.ts';
import { withRepeatability } from '#problems/repeatability.ts';
import type { RunPreflight } from '#targets/preflight/preflight.ts';
import { identityNamed, type Targets } from '#targets/target.ts';
import { requireExportAt } from '../access/export-question.ts';
import type { JobAccess } from '../access/job-access.ts';
import { ExportJob } from '../export-job.ts';
import { idempotencyKeyHeaders, keyUseOf } from '../idempotency-key-header.ts';
import { CreateExportJob } from '../planning/create-export-job-body.ts';
import { planJob } from '../planning/plan-job.ts';
import { warningsOfLogGroups } from '../planning/prefix-warnings.ts';
import { preflightPlan } from '../planning/preflight-plan.ts';
import { maxListingMs } from '../planning/resolve-log-groups.ts';
import type { VerificationMode } from '../planning/verification-mode.ts';
import { exampleAccepted } from '../presenters/example-jobs.ts';
import type { ShowJob, ShowJobNow } from '../presenters/show-job.ts';
import { PlannedExportJob, showPlan } from '../presenters/show-plan.ts';
import type { QueueView } from '../queue/position.ts';
import { readClock } from '../queue/read-queue.ts';
import { refuseExcessSlices } from '../queue/waiting-limit.ts';
import { acceptJob } from '../store/requests/accept-job.ts';
import { findJobOfKey } from '../store/requests/idempotency-key.ts';

const Query = Type.Object(
  {
    target: Type.Optional(TargetName),
    dryRun: Type.Optional(
      Type.Boolean({
        description:
          'Whether to return only a plan. Default: false. If true, the answer is 200 with the plan, and no job is created. A limit that refuses the job refuses the plan, too.',
        'x-rule': 'true or false',
      }),
    ),
  },
  { additionalProperties: false },
);
const Headers = idempotencyKeyHeaders(
  `A unique key for this request, such as a UUID. Without a key, each request creates a new job. The same key with the same body and \`target\` returns the same job. So the request is safe to repeat if its answer was lost. Each caller has its own keys. The service keeps a key with its job, and deletes the job some time after its end (default: 90 days). For ${inWords(statedLimits.keyAfterDeletionMs)} after the deletion, the answer is 410 \`export-job-deleted\`. After that, the key creates a new job. If you may no longer read the job of the key, the answer is 404 \`export-job-not-found\`. Ignored in a dry run.`,
);

/** What creating a job needs. */
export interface CreateExportJobOptions {
  targets: Targets;
  authorizer: Authorizer;
  database: Database;
  access: JobAccess;
  queue: QueueView;
  preflight: RunPreflight;
  show: ShowJob;
  showNow: ShowJobNow;
  /** Announces a changed job to its watchers and to the dispatcher of its target. */
  announce: (jobId: string, target: string) => void;
  newId: () => string;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
  maxWaitingSlices: number;
  /** The verification of jobs that do not name one. */
  verification: VerificationMode;
}

/** Creates an export job. Its answer is sent when the job is planned, stored and in the queue. */
export const createExportJob: FastifyPluginAsyncTypebox<CreateExportJobOptions> = async (
  app,
  options,
) => {
  const { targets, authorizer, database, access, queue, show, showNow, announce } = options;
  const { preflight, newId, elapsed, sleep, maxWaitingSlices, verification } = options;

  app.route({
    method: 'POST',
    url: '/export-jobs',
    bodyLimit: statedLimits.jobBodyBytes,
    // Longer than the listing of log groups and the statements that store the job.
    handlerTimeout: maxListingMs + 20_000,
    schema: {
      operationId: 'createExportJob',
      tags: ['export-jobs'],
      summary: 'Create an export job',
      description: `Accepts an export of one or more log groups over a time range. The job is split into slices: each is one log group over one interval. The slices wait in the queue of the target. Each slice becomes an export task when the slot is free. The job is stored before the answer 202 is sent. The policies must permit \`CreateExportJob\` for each log group. With \`logGroupNamePrefix\`, they must also permit the prefix itself, as if it were the name of a log group. The policies are checked again before each slice starts. Unless \`allowUnsettled\` is true, a slice waits at least until ${inWords(awsLimits.settlingMs)} after the end of its time range. Then its log events are exportable. The bucket is not checked now, but before the first slice starts. With \`dryRun=true\` the answer is 200 with the plan, and no job is created. The plan has a preflight: the checks of the bucket, the log groups and the queue.`,
      querystring: Query,
      headers: Headers,
      body: CreateExportJob,
      response: { 200: PlannedExportJob, 202: { ...ExportJob, examples: [exampleAccepted] } },
    },
    config: {
      action: 'CreateExportJob',
      problems: [
        ...awsCallProblems,
        'not-permitted',
        'export-job-not-found',
        'export-job-deleted',
        'no-log-groups',
        'too-many-slices',
        'idempotency-key-reused',
        'too-many-waiting-slices',
        'aws-timeout',
        'database-unavailable',
      ],
      headers: { 202: ['Location'] },
      timeoutProblem: 'database-unavailable',
    },
    errorHandler(error, request) {
      throw withRepeatability(toProblem(error, request), request);
    },
    handler: async (request, reply) => {
      const { query, body } = request;
      const caller = request.principal.id;
      const keyUse = query.dryRun
        ? undefined
        : keyUseOf(request.headers, { body, target: query.target });
      const known = keyUse && (await findJobOfKey(database.queries, caller, keyUse));
      if (known !== undefined) {
        const { head } = await access.find(request, 'ReadExportJob', known);
        return accepted(await show(head), body.logGroupNames);
      }

      const identity = identityNamed(targets, query.target);
      const logGroupName = body.logGroupNames?.[0] ?? body.logGroupNamePrefix;
      requireExportAt(authorizer, request, identity, logGroupName);
      const target = targets.find(query.target);
      const acceptedAt = await readClock(database);
      const jobId = newId();
      const planning = { target, now: acceptedAt, elapsed, sleep, jobId, request, authorizer };
      const plan = await planJob(body, { ...planning, verification });
      if (query.dryRun === true) {
        await refuseExcessSlices(database.queries, caller, plan.slices.length, maxWaitingSlices);
        const planned = { target, caller, now: acceptedAt, queue };
        const checked = await preflightPlan(preflight, request, plan, { target, jobId });
        return reply.send(await showPlan(plan, { ...planned, preflight: checked }));
      }

      const acceptedId = await acceptJob(database, {
        jobId,
        request,
        acceptedAt,
        keyUse,
        traceParent: request.start.traceParent,
        plan,
        maxWaitingSlices,
      });
      announce(acceptedId, target.name);
      return accepted(await showNow(acceptedId), plan.logGroupNames);

      // The names are not stored with the job, so only this answer warns about them.
      function accepted(
        { job }: Awaited<ReturnType<ShowJob>>,
        logGroupNames: readonly string[] = [],
      ) {
        const ofNames = warningsOfLogGroups(job.destinationPrefix, logGroupNames);
        const warnings = [...(job.warnings ?? []), ...ofNames];
        return reply
          .code(202)
          .header('location', job.links.self)
          .send({ ...job, ...(warnings.length > 0 && { warnings }) });
      }
    },
  });
};
