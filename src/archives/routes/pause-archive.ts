import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { ArchiveOperations } from '../operations/archive-operations.ts';
import { Reason } from '../planning/definition/reason.ts';
import { Archive, ArchiveParams, exampleArchive } from '../presenters/archive-view.ts';

const exampleReason = 'The bucket moves to another account.';

const PauseArchive = Type.Object(
  { reason: Reason },
  {
    title: 'PauseArchive',
    description: 'A request to pause an archive.',
    additionalProperties: false,
    'x-rule': 'a JSON object with reason',
    examples: [{ reason: exampleReason }],
  },
);
const PausedArchive = {
  ...Archive,
  examples: [
    {
      ...exampleArchive,
      state: 'paused',
      pause: { at: '2024-05-04T12:30:00.000Z', caller: 'anonymous', reason: exampleReason },
    },
  ],
};

/** Pauses an archive: it starts no exports until it is resumed. */
export const pauseArchive: FastifyPluginAsyncTypebox<{ operations: ArchiveOperations }> = async (
  app,
  { operations },
) => {
  app.route({
    method: 'POST',
    url: '/archives/:archiveId/pause',
    schema: {
      operationId: 'pauseArchive',
      tags: ['archives'],
      summary: 'Pause an archive',
      description:
        'Pauses an archive: it starts no exports until it is resumed. Waiting exports are cancelled, and running ones continue. Log events still expire during a pause: the archive shows what is at risk and what is lost. If the archive is already paused, nothing changes: `pause` keeps the time, caller and reason of the first request. The request is safe to repeat.',
      params: ArchiveParams,
      body: PauseArchive,
      response: { 200: PausedArchive },
    },
    config: {
      action: 'ChangeArchive',
      problems: ['archive-not-found', 'archive-ended', 'database-unavailable'],
      headers: { 200: ['ETag'] },
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const { archiveId } = request.params;
      await operations.changes.pause(request, archiveId, request.body.reason);

      const { archive, etag } = await operations.showNow(request, archiveId);
      return reply.header('etag', etag).send(archive);
    },
  });
};
