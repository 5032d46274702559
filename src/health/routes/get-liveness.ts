import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

const Liveness = Type.Object(
  { status: Type.Literal('live', { description: 'Always `live`.' }) },
  {
    title: 'Liveness',
    description: 'The process is alive.',
    examples: [{ status: 'live' }],
  },
);

/** Answers that the process is alive. It never calls AWS: a restart does not fix an outage of AWS. */
export const getLiveness: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/health/live',
    schema: {
      operationId: 'getLiveness',
      tags: ['health'],
      summary: 'Check liveness',
      description: 'Liveness probe: answers 200 while the process can handle requests.',
      response: { 200: Liveness },
    },
    config: { isProbe: true, problems: [] },
    handler: async () => ({ status: 'live' as const }),
  });
};
