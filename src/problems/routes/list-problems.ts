import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { catalogue } from '../catalogue.ts';
import { ProblemExplanation, toExplanation } from '../explanation.ts';
import { pageHeaders, pageOfProblems, wantsPage } from '../page.ts';

/** Lists every kind of problem this service answers, as JSON or as a page. */
export const listProblems: FastifyPluginAsyncTypebox = async (app) => {
  const problems = Object.entries(catalogue).map(([slug, kind]) => toExplanation(slug, kind));
  app.route({
    method: 'GET',
    url: '/problems',
    schema: {
      operationId: 'listProblems',
      tags: ['problems'],
      summary: 'List the problems',
      description:
        'Every kind of problem this service answers, with cause and remedy. A page in a browser.',
      response: {
        200: Type.Object(
          { problems: Type.Array(ProblemExplanation) },
          {
            title: 'ProblemList',
            description: 'The catalogue.',
            examples: [{ problems: problems.slice(0, 1) }],
          },
        ),
      },
    },
    config: { problems: [], produces: ['application/json', 'text/html'] },
    handler: async (request, reply) =>
      wantsPage(request)
        ? reply.headers(pageHeaders).send(pageOfProblems(problems) as never)
        : reply.send({ problems }),
  });
};
