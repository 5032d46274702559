import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { ArchiveOperations } from '../operations/archive-operations.ts';
import { Reason } from '../planning/definition/reason.ts';
import { Archive, ArchiveParams, exampleArchive } from '../presenters/archive-view.ts';

const ResumeArchive = Type.Object(
  { reason: Reason },
  {
    title: 'ResumeArchive',
    description: 'A request to resume an archive.',
    additionalProperties: false,
    'x-rule': 'a JSON object with reason',
    examples: [{ reason: 'The new bucket is ready.' }],
  },
);

/** Resumes a paused archive: it exports what became due meanwhile. */
export const resumeArchive: FastifyPluginAsyncTypebox<{ operations: ArchiveOperations }> = async (
  app,
  { operations },
) => {
  app.route({
    method: 'POST',
    url: '/archives/:archiveId/resume',
    schema: {
      operationId: 'resumeArchive',
      tags: ['archives'],
      summary: 'Resume an archive',
      description:
        'Ends the pause of an archive. All partitions that are due and not covered are exported, except those older than `catchUpDays`. This includes those whose export the pause has cancelled. Partitions whose log events expire soonest are exported first. An archive that is not paused does not change. The request is safe to repeat.',
      params: ArchiveParams,
      body: ResumeArchive,
      response: { 200: { ...Archive, examples: [exampleArchive] } },
    },
    config: {
      action: 'ChangeArchive',
      problems: ['archive-not-found', 'archive-ended', 'database-unavailable'],
      headers: { 200: ['ETag'] },
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const { archiveId } = request.params;
      await operations.changes.resume(request, archiveId, request.body.reason);

      const { archive, etag } = await operations.showNow(request, archiveId);
      return reply.header('etag', etag).send(archive);
    },
  });
};
