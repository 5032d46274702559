import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { maxListingMs } from '#export-jobs/planning/resolve-log-groups.ts';
import { statedLimits } from '#problems/limits.ts';
import { awsCallProblems } from '#problems/problems-of-operation.ts';
import type { ArchiveOperations } from '../operations/archive-operations.ts';
import { ChangeArchive } from '../planning/definition/change-archive-body.ts';
import { Archive, ArchiveParams, exampleArchive } from '../presenters/archive-view.ts';

const Headers = Type.Object({
  'If-Match': Type.Optional(
    Type.String({
      description:
        'The `ETag` of the archive. Without it, the answer is 428 `precondition-required`. If another request has changed the definition since, the answer is 412. Progress of the exports changes the `ETag`, too, but does not lead to 412: only the definition is compared. `*` stands for any definition.',
      examples: ['*'],
    }),
  ),
});

/** Changes the definition of an archive. */
export const changeArchiveDefinition: FastifyPluginAsyncTypebox<{
  operations: ArchiveOperations;
}> = async (app, { operations }) => {
  app.route({
    method: 'PATCH',
    url: '/archives/:archiveId',
    bodyLimit: statedLimits.jobBodyBytes,
    // Longer than the listing of log groups and the statements that store the archive.
    handlerTimeout: maxListingMs + 20_000,
    schema: {
      operationId: 'changeArchive',
      tags: ['archives'],
      summary: 'Change an archive',
      description:
        'Changes members of the definition. The changes apply to partitions that are not exported yet: covered partitions stay covered. If you increase `refreshDays`, some covered partitions are exported again: those that ended fewer days ago than the new value. Each is exported `refreshDays` days after its end, and stays covered meanwhile. The policies must permit `ChangeArchive`. A change of any member except `name` and `heartbeatUrl` also needs `CreateArchive` for the changed archive. Later exports still need `CreateExportJob` for the caller who created the archive.',
      params: ArchiveParams,
      headers: Headers,
      body: ChangeArchive,
      response: { 200: { ...Archive, examples: [exampleArchive] } },
    },
    config: {
      action: 'ChangeArchive',
      problems: [
        ...awsCallProblems,
        'not-permitted',
        'archive-not-found',
        'archive-ended',
        'precondition-failed',
        'precondition-required',
        'no-log-groups',
        'archive-impossible',
        'archive-overload',
        'aws-timeout',
        'database-unavailable',
      ],
      headers: { 200: ['ETag'] },
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const { archiveId } = request.params;
      const { 'if-match': ifMatch } = request.headers;
      const warnings = await operations.changes.patch(request, archiveId, request.body, ifMatch);

      const { archive, etag } = await operations.showNow(request, archiveId);
      return reply
        .header('etag', etag)
        .send({ ...archive, ...(warnings.length > 0 && { warnings }) });
    },
  });
};
