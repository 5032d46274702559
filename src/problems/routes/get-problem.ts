import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { findProblemKind } from '../catalogue.ts';
import { ProblemExplanation, toExplanation } from '../explanation.ts';
import { pageHeaders, pageOfProblems, wantsPage } from '../page.ts';
import { Problem } from '../problem.ts';

const Params = Type.Object(
  {
    slug: Type.String({
      maxLength: 64,
      pattern: '^[a-z0-9-]+$',
      'x-rule': 'the last part of a problem type, 1 to 64 characters',
      description: 'Name of the problem: the last segment of its `type`.',
      examples: ['export-slot-taken'],
    }),
  },
  { additionalProperties: false },
);

/** Explains one kind of problem, as JSON or as a page: what a problem's `type` points to. */
export const getProblem: FastifyPluginAsyncTypebox = async (app) => {
  app.route({
    method: 'GET',
    url: '/problems/:slug',
    schema: {
      operationId: 'getProblem',
      tags: ['problems'],
      summary: 'Explain a problem',
      description:
        'Returns the meaning of a problem and how to fix it. A browser gets an HTML page.',
      params: Params,
      response: { 200: ProblemExplanation },
    },
    config: { problems: ['problem-not-found'], produces: ['application/json', 'text/html'] },
    handler: async (request, reply) => {
      const { slug } = request.params;
      const kind = findProblemKind(slug);
      if (!kind)
        throw new Problem('problem-not-found', 'The catalogue has no problem with this name.');

      reply.header('vary', 'Accept');
      const explanation = toExplanation(slug, kind, request.basePath);
      return wantsPage(request)
        ? reply.headers(pageHeaders).send(pageOfProblems([explanation], request.basePath) as never)
        : reply.send(explanation);
    },
  });
};
