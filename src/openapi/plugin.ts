import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

import { declaredProblems } from '#problems/problems-of-operation.ts';
import { atBasePath } from './base-path.ts';
import {
  completeDocument,
  documentBase,
  type OperationFacts,
  type ResponseHeader,
  toJsonText,
} from './document.ts';
import { getJsonDocument } from './routes/get-json-document.ts';
import { getYamlDocument } from './routes/get-yaml-document.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Response headers worth telling, by status. */
    headers?: Record<number, ResponseHeader[]>;
  }
  interface FastifyInstance {
    /** The OpenAPI document as JSON text, exact to the digit. Complete once the app is ready. */
    openapiText: () => string;
  }
}

// Everything of the page comes from here; it runs no inline script and asks nobody else.
const contentSecurityPolicy = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

// Swagger UI asks for the plugin's own copy of the document, which knows nothing of a bigint. And
// where the plugin redirects to, it does not know of a base path.
const placeOf: Record<string, string> = {
  '/docs/json': '/openapi.json',
  '/docs/yaml': '/openapi.yaml',
  '/docs/static/index.html': '/docs/',
};

async function answerSimply(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  // Files are served whole: a range or precondition that cannot be met would end in an error.
  for (const name of ['range', 'if-match', 'if-unmodified-since']) delete request.headers[name];
  const place = placeOf[request.routeOptions.url ?? ''];
  if (place) await reply.redirect(request.basePath + place);
}

/** What the document and Swagger UI depend on. */
export interface OpenapiOptions {
  /** What callers put before every path. */
  basePath: string;
}

/** Collects the routes registered after it into an OpenAPI 3.1 document, and serves that with Swagger UI. */
export const openapiPlugin: FastifyPluginAsync<OpenapiOptions> = fp(
  async (app: FastifyInstance, { basePath }: OpenapiOptions) => {
    const facts = new Map<string, OperationFacts>();
    app.addHook('onRoute', ({ method, schema, config }) => {
      const operationId = schema?.operationId;
      if (operationId === undefined) return;
      facts.set(operationId, {
        problems: declaredProblems({ method, schema, config }),
        headers: config?.headers ?? {},
        produces: config?.produces ?? ['application/json'],
        isPublic: config?.action === undefined,
      });
    });

    await app.register(swagger, {
      openapi: documentBase,
      hideUntagged: true,
      transformObject: (found) =>
        'openapiObject' in found
          ? atBasePath(completeDocument(found.openapiObject, facts), basePath)
          : found.swaggerObject,
    });

    let text: string | undefined;
    const openapiText = () => {
      text ??= toJsonText(app.swagger());
      return text;
    };
    app.decorate('openapiText', openapiText);
    await app.register(getJsonDocument, { openapiText });
    await app.register(getYamlDocument, { openapiText });

    await app.register(async (docs) => {
      docs.addHook('onRequest', answerSimply);
      await docs.register(swaggerUi, {
        routePrefix: '/docs',
        indexPrefix: basePath,
        staticCSP: contentSecurityPolicy,
        theme: { title: documentBase.info.title },
        uiConfig: {
          layout: 'BaseLayout', // without the bar that offers to load a document of somebody else
          validatorUrl: null, // it would send the document to somebody else's server
          displayRequestDuration: true,
          tryItOutEnabled: true,
          deepLinking: true,
        },
      });
    });
  },
);
