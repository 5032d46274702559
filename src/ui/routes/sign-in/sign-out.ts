import type { FastifyPluginAsync } from 'fastify';

import { readOwnForm } from '../../session/own-form.ts';
import { toEndingSetCookie } from '../../session/session.ts';

/** Removes the session cookie from the browser. */
export const signOut: FastifyPluginAsync = async (app) => {
  app.route({
    method: 'POST',
    url: '/ui/sign-out',
    config: { produces: ['text/html'] },
    handler: async (request, reply) => {
      const { raw, body, basePath } = request;
      readOwnForm(raw, body);
      reply.header('set-cookie', toEndingSetCookie(raw, basePath));
      return reply.redirect(`${basePath}/ui/sign-in`, 303);
    },
  });
};
