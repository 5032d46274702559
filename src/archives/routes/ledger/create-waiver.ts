import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import type { ArchiveOperations } from '../../operations/archive-operations.ts';
import { CreateWaiver } from '../../planning/requests/waiver-body.ts';
import { ArchiveParams } from '../../presenters/archive-view.ts';
import { ShownWaiver } from '../../presenters/waiver-view.ts';

/** Waives time of a log group that an archive cannot, or need not, cover. */
export const createWaiver: FastifyPluginAsyncTypebox<{ operations: ArchiveOperations }> = async (
  app,
  { operations },
) => {
  app.route({
    method: 'POST',
    url: '/archives/:archiveId/waivers',
    schema: {
      operationId: 'createWaiver',
      tags: ['archives'],
      summary: 'Waive partitions',
      description:
        'States that a time range of a log group need not be covered, for example because it is `lost`. The archive no longer exports a waived time range, and no backfill does. A waived time range does not make the archive `incomplete`, and the `watermark` can move past it. Time that is covered stays covered. If an export that began before the waiver covers the time range, its coverage replaces the waiver. A waiver has a reason and a caller, and it cannot be taken back.',
      params: ArchiveParams,
      body: CreateWaiver,
      response: { 201: ShownWaiver },
    },
    config: {
      action: 'ChangeArchive',
      problems: [
        'archive-not-found',
        'archive-ended',
        'nothing-to-waive',
        'too-many-waivers',
        'database-unavailable',
      ],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const { params, body } = request;
      return reply.code(201).send(await operations.changes.waive(request, params.archiveId, body));
    },
  });
};
