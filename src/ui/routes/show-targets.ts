import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import { type TargetAccess, TargetListQuery } from '#targets/target-access.ts';
import { targetListPage } from '../pages/target-list-page.ts';
import type { SendPage } from './send-page.ts';

/** Shows the targets that the caller may see. */
export const showTargets: FastifyPluginAsyncTypebox<{
  targetAccess: TargetAccess;
  sendPage: SendPage;
  now: () => number;
}> = async (app, { targetAccess, sendPage, now }) => {
  app.route({
    method: 'GET',
    url: '/ui/targets',
    schema: { querystring: TargetListQuery },
    config: { action: 'ReadTarget' },
    handler: async (request, reply) => {
      const query = { limit: 50, ...request.query };
      const page = await targetAccess.list(request, query);

      const { basePath } = request;
      return sendPage(request, reply, targetListPage({ ...page, basePath, now: now(), query }));
    },
  });
};
