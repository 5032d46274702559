import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { Problem } from '#problems/problem.ts';
import type { Assets } from '../assets/read-assets.ts';

const Params = Type.Object({ name: Type.String() });
const Query = Type.Object({ v: Type.Optional(Type.String()) });

// A year. Each version has a URL of its own.
const immutable = 'public, max-age=31536000, immutable';

/** Serves the style sheet and the script of the pages. */
export const getAsset: FastifyPluginAsyncTypebox<{ assets: Assets }> = async (app, { assets }) => {
  app.route({
    method: 'GET',
    url: '/ui/assets/:name',
    schema: { params: Params, querystring: Query },
    config: { produces: ['text/css', 'text/javascript'] },
    handler: async (request, reply) => {
      const { name } = request.params;
      if (!Object.hasOwn(assets, name)) {
        throw new Problem('no-such-route', 'No file has this name.');
      }
      const { mediaType, text, version } = assets[name as keyof Assets];
      // During an upgrade, another version of the service may have made the page.
      const isCurrent = request.query.v === version;
      return reply
        .header('cache-control', isCurrent ? immutable : 'no-cache')
        .type(mediaType)
        .send(text as never);
    },
  });
};
