import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { Problem } from '#problems/problem.ts';

const Readiness = Type.Object(
  { status: Type.Literal('ready', { description: 'Always `ready`.' }) },
  {
    title: 'Readiness',
    description: 'The service accepts requests.',
    examples: [{ status: 'ready' }],
  },
);

/** What readiness depends on. */
export interface ReadinessOptions {
  /** Why the service is not ready for traffic; `undefined` when it is. */
  whyNotReady: () => string | undefined;
}

/** Answers whether the service is ready: from the first checks of the accounts on, until it is stopping. */
export const getReadiness: FastifyPluginAsyncTypebox<ReadinessOptions> = async (
  app,
  { whyNotReady },
) => {
  app.route({
    method: 'GET',
    url: '/health/ready',
    schema: {
      operationId: 'getReadiness',
      tags: ['health'],
      summary: 'Check readiness',
      description:
        'Readiness probe. The answer is 503 `not-ready` until the database and at least one target are ready. After a start, it is also 503 until every target was checked once, but for 10 seconds at most. It is also 503 while the service is stopping. Readiness does not depend on the keys of token issuers. The answer comes from memory, without a call to AWS or the database.',
      response: { 200: Readiness },
    },
    config: { isProbe: true, problems: ['not-ready'] },
    handler: async () => {
      const reason = whyNotReady();
      if (reason !== undefined) throw new Problem('not-ready', reason);
      return { status: 'ready' as const };
    },
  });
};
