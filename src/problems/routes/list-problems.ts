import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { catalogue } from '../catalogue.ts';
import { ProblemExplanation, toExplanation } from '../explanation.ts';
import { pageHeaders, pageOfProblems, wantsPage } from '../page.ts';

/** Lists every kind of problem this service answers, as JSON or as a page. */
export const listProblems: FastifyPluginAsyncTypebox = async (app) => {
  const problemsAt = (basePath: string) =>
    Object.entries(catalogue).map(([slug, kind]) => toExplanation(slug, kind, basePath));
  app.route({
    method: 'GET',
    url: '/problems',
    schema: {
      operationId: 'listProblems',
      tags: ['problems'],
      summary: 'List the problems',
      description:
        'Returns every problem of this service, with cause and remedy. A browser gets an HTML page.',
      response: {
        200: Type.Object(
          { problems: Type.Array(ProblemExplanation, { description: 'All problems.' }) },
          {
            title: 'ProblemList',
            description: 'The catalogue of problems.',
            examples: [{ problems: problemsAt('').slice(0, 1) }],
          },
        ),
      },
    },
    config: { problems: [], produces: ['application/json', 'text/html'] },
    handler: async (request, reply) => {
      reply.header('vary', 'Accept');
      const { basePath } = request;
      const problems = problemsAt(basePath);
      return wantsPage(request)
        ? reply.headers(pageHeaders).send(pageOfProblems(problems, basePath) as never)
        : reply.send({ problems });
    },
  });
};
