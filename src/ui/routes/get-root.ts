import type { FastifyPluginAsync } from 'fastify';

import { wantsPage } from '#problems/page.ts';
import { Problem } from '#problems/problem.ts';

/** Leads a browser to the pages. Other clients learn that no operation has this path. */
export const getRoot: FastifyPluginAsync = async (app) => {
  for (const url of ['/', '/ui', '/ui/']) {
    app.route({
      method: 'GET',
      url,
      handler: async (request, reply) => {
        reply.header('vary', 'Accept');
        if (wantsPage(request)) return reply.redirect(`${request.basePath}/ui/targets`, 303);
        throw new Problem('no-such-route', 'No operation has this path.');
      },
    });
  }
};
