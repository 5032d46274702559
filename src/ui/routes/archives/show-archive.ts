import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { ArchiveOperations } from '#archives/operations/archive-operations.ts';
import { ArchiveGridQuery } from '#archives/operations/read-archive-grid.ts';
import { ArchiveParams } from '#archives/presenters/archive-view.ts';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { archiveNotices, archivePage } from '../../pages/archives/archive-page.ts';
import type { OpenSession } from '../../session/open-session.ts';
import { formTokenOf } from '../../session/session.ts';
import type { SendPage } from '../send-page.ts';

const Query = Type.Object(
  {
    ...ArchiveGridQuery.properties,
    notice: Type.Optional(
      Type.Unsafe<keyof typeof archiveNotices>({
        type: 'string',
        enum: Object.keys(archiveNotices),
        'x-rule': `one of ${Object.keys(archiveNotices).join(', ')}`,
      }),
    ),
  },
  { additionalProperties: false },
);

/** Shows an archive and its partitions. */
export const showArchivePage: FastifyPluginAsyncTypebox<{
  operations: ArchiveOperations;
  authorizer: Pick<Authorizer, 'mayPermit'>;
  openSession: OpenSession;
  sendPage: SendPage;
  now: () => number;
}> = async (app, { operations, authorizer, openSession, sendPage, now }) => {
  app.route({
    method: 'GET',
    url: '/ui/archives/:archiveId',
    schema: { params: ArchiveParams, querystring: Query },
    config: { action: 'ReadArchive', timeoutProblem: 'database-unavailable' },
    handler: async (request, reply) => {
      const { notice, ...query } = request.query;
      const { access, show, readGrid, readUrgentRuns } = operations;
      const { archiveId } = request.params;
      const { archive, target } = await access.find(request, 'ReadArchive', archiveId);
      const grid = await readGrid(request, archive, query);
      const urgentRuns = await readUrgentRuns(request, archive);

      const view = {
        basePath: request.basePath,
        now: now(),
        ...(await show(request, archive)),
        query,
        grid,
        urgentRuns,
        notice,
        token: formTokenOf(openSession(request.raw, reply)),
        mayChange: authorizer.mayPermit(request, 'ChangeArchive', target),
      };
      return sendPage(request, reply, archivePage(view));
    },
  });
};
