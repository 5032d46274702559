import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { requireExportAt } from '#export-jobs/access/export-question.ts';
import { idempotencyKeyHeaders, keyUseOf } from '#export-jobs/idempotency-key-header.ts';
import { maxListingMs } from '#export-jobs/planning/resolve-log-groups.ts';
import { readClock } from '#export-jobs/queue/read-queue.ts';
import { TargetName } from '#export-tasks/export-task.ts';
import { awsLimits, inWords, statedLimits } from '#problems/limits.ts';
import { toProblem } from '#problems/plugin.ts';
import { awsCallProblems } from '#problems/problems-of-operation.ts';
import { withRepeatability } from '#problems/repeatability.ts';
import type { RunPreflight } from '#targets/preflight/preflight.ts';
import { identityNamed, type Targets } from '#targets/target.ts';
import type { ArchiveOperations } from '../operations/archive-operations.ts';
import { CreateArchive } from '../planning/definition/create-archive-body.ts';
import { planArchive } from '../planning/plan-archive.ts';
import { preflightArchive } from '../planning/preflight-archive.ts';
import { Archive, exampleArchive } from '../presenters/archive-view.ts';
import { PlannedArchiveView, showArchivePlan } from '../presenters/show-archive-plan.ts';
import {
  acceptArchive,
  findArchiveOfKey,
  requireRoomForArchive,
} from '../store/requests/accept-archive.ts';

const Query = Type.Object(
  {
    target: Type.Optional(TargetName),
    dryRun: Type.Optional(
      Type.Boolean({
        description:
          'Whether to return only a plan. Default: false. If true, the answer is 200 with the plan, and no archive is created. A limit that refuses the archive refuses the plan, too.',
        'x-rule': 'true or false',
      }),
    ),
  },
  { additionalProperties: false },
);
const Headers = idempotencyKeyHeaders(
  'A unique key for this request, such as a UUID. Without a key, each request creates a new archive. The same key with the same body and `target` returns the same archive. So the request is safe to repeat if its answer was lost. Each caller has its own keys. If you may no longer read the archive of the key, the answer is 404 `archive-not-found`. Ignored in a dry run.',
);

/** What creating an archive needs. */
export interface CreateArchiveOptions {
  targets: Targets;
  authorizer: Authorizer;
  database: Database;
  operations: ArchiveOperations;
  preflight: RunPreflight;
  /** The origins that heartbeats may go to. */
  heartbeatOrigins: readonly string[];
  newId: () => string;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
}

/** Creates an archive. Its answer is sent when the archive is planned and stored. */
export const createArchive: FastifyPluginAsyncTypebox<CreateArchiveOptions> = async (
  app,
  options,
) => {
  const { targets, authorizer, database, operations, preflight, newId } = options;

  app.route({
    method: 'POST',
    url: '/archives',
    bodyLimit: statedLimits.jobBodyBytes,
    // Longer than the listing of log groups and the statements that store the archive.
    handlerTimeout: maxListingMs + 20_000,
    schema: {
      operationId: 'createArchive',
      tags: ['archives'],
      summary: 'Create an archive',
      description: `Accepts an archive: log groups that are exported continuously, one export for each log group and calendar unit. Such a pair is a partition. Each partition is exported ${inWords(awsLimits.settlingMs)} after its end, and verified. The archive is stored before the answer 201 is sent. The policies must permit \`CreateArchive\` for each log group. With \`logGroupNamePrefix\`, they must also permit the prefix itself, as if it were the name of a log group. For each log group, the policies check the destination prefix of its first partition. The job of the partition does not exist yet. So for this check, the id of the archive replaces the placeholder \`{jobId}\` in the template. Before each export, the policies must permit \`CreateExportJob\` for the caller who created the archive. If none of the \`logGroupNames\` exists, the answer is 422 \`no-log-groups\`. If only some exist, the archive is created, and the answer has a warning. A \`logGroupNamePrefix\` that no log group has yet is accepted with a warning. With \`dryRun=true\` the answer is 200 with the plan and a preflight, and no archive is created.`,
      querystring: Query,
      headers: Headers,
      body: CreateArchive,
      response: { 200: PlannedArchiveView, 201: { ...Archive, examples: [exampleArchive] } },
    },
    config: {
      action: 'CreateArchive',
      problems: [
        ...awsCallProblems,
        'not-permitted',
        'archive-not-found',
        'no-log-groups',
        'archive-impossible',
        'archive-overload',
        'too-many-archives',
        'idempotency-key-reused',
        'aws-timeout',
        'database-unavailable',
      ],
      headers: { 201: ['Location', 'ETag'] },
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
      const known = keyUse && (await findArchiveOfKey(database.queries, caller, keyUse));
      if (known !== undefined) {
        const { archive } = await operations.access.find(request, 'ReadArchive', known);
        return accepted(await operations.show(request, archive));
      }

      const identity = identityNamed(targets, query.target);
      const logGroupName = body.logGroupNames?.[0] ?? body.logGroupNamePrefix;
      requireExportAt(authorizer, request, identity, logGroupName, 'CreateArchive');
      const target = targets.find(query.target);
      const now = await readClock(database);
      const archiveId = newId();
      const plan = await planArchive(body, { ...options, target, now, archiveId, request });
      if (query.dryRun === true) {
        await requireRoomForArchive(database.queries, caller);
        const checked = await preflightArchive(preflight, request, plan, {
          target,
          archiveId,
          now,
        });
        return reply.send(showArchivePlan(plan, { target, caller, now, preflight: checked }));
      }

      const acceptedId = await acceptArchive(database, {
        archiveId,
        request,
        target: target.name,
        createdAt: now,
        keyUse,
        plan,
      });
      operations.announce(acceptedId);
      const { warnings } = plan;
      return accepted(await operations.showNow(request, acceptedId), warnings);

      function accepted(
        { archive, etag }: Awaited<ReturnType<ArchiveOperations['showNow']>>,
        warnings: PlannedArchiveView['warnings'] = [],
      ) {
        return reply
          .code(201)
          .header('location', archive.links.self)
          .header('etag', etag)
          .send({ ...archive, ...(warnings.length > 0 && { warnings }) });
      }
    },
  });
};
