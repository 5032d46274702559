import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { inPieces, maxDownloadMs } from '../large-answers.ts';

/** Serves the OpenAPI document as JSON. */
export const getJsonDocument: FastifyPluginAsyncTypebox<{ openapiText: () => string }> = async (
  app,
  { openapiText },
) => {
  let bytes: Buffer | undefined;
  app.route({
    method: 'GET',
    url: '/openapi.json',
    handlerTimeout: maxDownloadMs,
    schema: {
      operationId: 'getOpenapiJson',
      tags: ['openapi'],
      summary: 'Get this document as JSON',
      description: 'The OpenAPI 3.1 document, which Swagger UI shows at /docs.',
      response: {
        200: Type.Object(
          {},
          {
            title: 'OpenapiDocument',
            additionalProperties: true,
            description: 'The OpenAPI document.',
            examples: [{ openapi: '3.1.1', info: { title: 'log-export-gateway' }, paths: {} }],
          },
        ),
      },
    },
    config: { problems: [] },
    handler: async (_request, reply) => {
      bytes ??= Buffer.from(openapiText());
      reply.type('application/json').header('content-length', bytes.length);
      return inPieces(bytes) as never;
    },
  });
};
