import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import { ArchiveListQuery, type ListArchives } from '#archives/operations/list-archives.ts';
import { archiveListPage } from '../../pages/archives/archive-list-page.ts';
import type { SendPage } from '../send-page.ts';

/** Shows the archives that the caller may read; without a filter, its own. */
export const showArchives: FastifyPluginAsyncTypebox<{
  list: ListArchives;
  sendPage: SendPage;
  now: () => number;
}> = async (app, { list, sendPage, now }) => {
  app.route({
    method: 'GET',
    url: '/ui/archives',
    schema: { querystring: ArchiveListQuery },
    config: { action: 'ReadArchive', timeoutProblem: 'database-unavailable' },
    handler: async (request, reply) => {
      const query = { limit: 50, ...request.query };
      const page = await list(request, query);

      const { basePath } = request;
      return sendPage(request, reply, archiveListPage({ ...page, basePath, now: now(), query }));
    },
  });
};
