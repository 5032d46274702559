import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import type { ArchiveOperations } from '../operations/archive-operations.ts';
import { Archive, ArchiveParams, exampleArchive } from '../presenters/archive-view.ts';

const EndedArchive = {
  ...Archive,
  examples: [{ ...exampleArchive, state: 'ended', endedAt: '2024-05-05T08:00:00.000Z' }],
};

/** Ends an archive for good. Its coverage stays readable. */
export const endArchive: FastifyPluginAsyncTypebox<{ operations: ArchiveOperations }> = async (
  app,
  { operations },
) => {
  app.route({
    method: 'DELETE',
    url: '/archives/:archiveId',
    schema: {
      operationId: 'endArchive',
      tags: ['archives'],
      summary: 'End an archive',
      description:
        'Ends an archive for good. Waiting exports are cancelled, and running ones continue. The archive and its coverage stay readable, and the objects in S3 stay as they are. The request is safe to repeat.',
      params: ArchiveParams,
      response: { 200: EndedArchive },
    },
    config: {
      action: 'ChangeArchive',
      problems: ['archive-not-found', 'database-unavailable'],
      headers: { 200: ['ETag'] },
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const { archiveId } = request.params;
      await operations.changes.end(request, archiveId);

      const { archive, etag } = await operations.showNow(request, archiveId);
      return reply.header('etag', etag).send(archive);
    },
  });
};
