import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { NextCursor } from '#paging/page.ts';
import { ArchiveListQuery, type ListArchives } from '../operations/list-archives.ts';
import { Archive, exampleArchive } from '../presenters/archive-view.ts';

/** Lists archives, the newest first: the caller's own, or those of others that it may read. */
export const listArchives: FastifyPluginAsyncTypebox<{ list: ListArchives }> = async (
  app,
  { list },
) => {
  app.route({
    method: 'GET',
    url: '/archives',
    schema: {
      operationId: 'listArchives',
      tags: ['archives'],
      summary: 'List archives',
      description:
        'Returns your archives, newest first, each with its state and progress. With `caller`, it returns the archives of that caller, or of all callers (`*`). The list omits archives that you may not see, and a request searches a limited number of archives. So a page can be short or empty and still have a `nextCursor`.',
      querystring: ArchiveListQuery,
      response: {
        200: Type.Object(
          {
            archives: Type.Array(Archive, { description: 'The archives of this page.' }),
            nextCursor: NextCursor,
          },
          {
            title: 'ArchivePage',
            description: 'A page of archives.',
            examples: [{ archives: [exampleArchive] }],
          },
        ),
      },
    },
    config: {
      action: 'ReadArchive',
      problems: ['database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request) => {
      const { entries: archives, ...page } = await list(request, request.query);
      return { archives, ...page };
    },
  });
};
