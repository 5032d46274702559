import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import fp from 'fastify-plugin';

import { declaredProblems } from '#problems/declared.ts';
import { completeDocument, documentBase, type OperationFacts, toJsonText } from './document.ts';
import { getJsonDocument } from './routes/get-json-document.ts';
import { getYamlDocument } from './routes/get-yaml-document.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Response headers worth telling, by status. */
    headers?: Record<number, ('Location' | 'Age')[]>;
  }
  interface FastifyInstance {
    /** The OpenAPI document as JSON text, exact to the digit. Complete once the app is ready. */
    openapiText: () => string;
  }
}

/** Collects the routes registered after it into an OpenAPI 3.1 document, and serves that with Swagger UI. */
export const openapiPlugin: FastifyPluginAsync = fp(async (app: FastifyInstance) => {
  const facts = new Map<string, OperationFacts>();
  app.addHook('onRoute', ({ method, schema, config }) => {
    const operationId = schema?.operationId;
    if (operationId === undefined) return;
    facts.set(operationId, {
      problems: declaredProblems({ method, schema, config }),
      headers: config?.headers ?? {},
    });
  });

  await app.register(swagger, {
    openapi: documentBase,
    hideUntagged: true,
    transformObject: (found) =>
      'openapiObject' in found ? completeDocument(found.openapiObject, facts) : found.swaggerObject,
  });

  let text: string | undefined;
  const openapiText = () => {
    text ??= toJsonText(app.swagger());
    return text;
  };
  app.decorate('openapiText', openapiText);
  await app.register(getJsonDocument, { openapiText });
  await app.register(getYamlDocument, { openapiText });

  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    uiConfig: {
      url: '/openapi.json',
      validatorUrl: null, // it would send the document to somebody else's server
      displayRequestDuration: true,
      tryItOutEnabled: true,
      deepLinking: true,
    },
  });
});
