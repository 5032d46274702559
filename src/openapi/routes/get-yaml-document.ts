import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { toYamlText } from '../document-text.ts';
import { inPieces, maxDownloadMs } from '../large-answers.ts';

/** Serves the OpenAPI document as YAML. */
export const getYamlDocument: FastifyPluginAsyncTypebox<{ openapiText: () => string }> = async (
  app,
  { openapiText },
) => {
  let bytes: Buffer | undefined;
  app.route({
    method: 'GET',
    url: '/openapi.yaml',
    handlerTimeout: maxDownloadMs,
    schema: {
      operationId: 'getOpenapiYaml',
      tags: ['openapi'],
      summary: 'Get this document as YAML',
      description: 'The same OpenAPI 3.1 document as /openapi.json.',
      response: {
        200: {
          description: 'The OpenAPI document.',
          content: {
            'application/yaml': {
              schema: Type.String(),
              example: 'openapi: 3.1.1\ninfo:\n  title: log-export-gateway\n',
            },
          },
        },
      },
    },
    config: { problems: [], produces: ['application/yaml'] },
    handler: async (_request, reply) => {
      bytes ??= Buffer.from(toYamlText(openapiText()));
      reply.type('application/yaml').header('content-length', bytes.length);
      return inPieces(bytes) as never;
    },
  });
};
