import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

const Liveness = Type.Object(
  { status: Type.Literal('live') },
  {
    title: 'Liveness',
    description: 'The process answers.',
    examples: [{ status: 'live' }],
  },
);

/** Says that the process answers. Never asks AWS: a restart would not mend an outage there. */
export const getLiveness: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/health/live',
    schema: {
      operationId: 'getLiveness',
      tags: ['health'],
      summary: 'Is the process alive?',
      description: 'For the liveness probe: answers as long as the process can.',
      response: { 200: Liveness },
    },
    config: { problems: [] },
    handler: async () => ({ status: 'live' as const }),
  });
};
