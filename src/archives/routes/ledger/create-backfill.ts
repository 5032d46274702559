import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { statedLimits } from '#problems/limits.ts';
import type { ArchiveOperations } from '../../operations/archive-operations.ts';
import { CreateBackfill } from '../../planning/requests/backfill-body.ts';
import { ArchiveParams } from '../../presenters/archive-view.ts';
import { BackfillPlan, ShownBackfill } from '../../presenters/backfill-view.ts';

const Query = Type.Object(
  {
    dryRun: Type.Optional(
      Type.Boolean({
        description:
          'Whether to return only a plan. Default: false. If true, the answer is 200 with the plan, and nothing is stored. A limit that refuses the backfill refuses the plan, too.',
        'x-rule': 'true or false',
      }),
    ),
  },
  { additionalProperties: false },
);

/** Requests the export of a time range of an archive. */
export const createBackfill: FastifyPluginAsyncTypebox<{
  operations: ArchiveOperations;
}> = async (app, { operations }) => {
  app.route({
    method: 'POST',
    url: '/archives/:archiveId/backfills',
    bodyLimit: statedLimits.jobBodyBytes,
    handlerTimeout: 60_000, // with `all`, the ledger of each log group changes
    schema: {
      operationId: 'createBackfill',
      tags: ['archives'],
      summary: 'Request a backfill',
      description:
        'Exports past partitions: those before `from` of the archive, and those that are now older than `catchUpDays`. If `reprocess` is `failed` or `all`, it also exports failed partitions, without a wait for their next automatic try. If it is `all`, it also exports covered partitions again. Covered partitions stay covered: the previous export counts until the new one is verified. The policies must permit `ChangeArchive`, and `CreateArchive` for the log groups over the time range of the backfill. With `dryRun=true` the answer is 200 with the number of partitions, and the expected duration of all their exports.',
      params: ArchiveParams,
      querystring: Query,
      body: CreateBackfill,
      response: { 200: BackfillPlan, 201: ShownBackfill },
    },
    config: {
      action: 'ChangeArchive',
      problems: [
        'not-permitted',
        'archive-not-found',
        'archive-ended',
        'too-many-backfills',
        'database-unavailable',
      ],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const { params, query, body } = request;
      const { plan, add } = operations.backfills;
      if (query.dryRun === true) return plan(request, params.archiveId, body);
      return reply.code(201).send(await add(request, params.archiveId, body));
    },
  });
};
