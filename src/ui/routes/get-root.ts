import type { FastifyPluginAsync } from 'fastify';

import { wantsPage } from '#problems/page.ts';
import { Problem } from '#problems/problem.ts';

/**
 * Leads a browser from the root to the pages. Other clients, and unknown paths below `/ui`, get a problem, which
 * is a page for a browser.
 */
export const getRoot: FastifyPluginAsync = async (app) => {
  for (const url of ['/', '/ui', '/ui/']) {
    app.route({
      method: 'GET',
      url,
      config: { produces },
      handler: async (request, reply) => {
        reply.header('vary', 'Accept');
        if (wantsPage(request)) return reply.redirect(`${request.basePath}/ui/targets`, 303);
        throw unknownPath();
      },
    });
  }
  app.route({
    method: 'GET',
    url: '/ui/*',
    config: { isFallback: true, produces },
    handler: async () => {
      throw unknownPath();
    },
  });
};

const produces = ['text/html', 'application/json'];
const unknownPath = () => new Problem('no-such-route', 'No operation has this path.');
