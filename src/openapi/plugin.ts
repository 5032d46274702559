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
} from './document.ts';
import { toJsonText } from './document-text.ts';
import { makeSharedFiles, maxDownloadMs } from './large-answers.ts';
import { getJsonDocument } from './routes/get-json-document.ts';
import { getYamlDocument } from './routes/get-yaml-document.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Response headers to document, by status. */
    headers?: Record<number, ResponseHeader[]>;
  }
  interface FastifyInstance {
    /** The OpenAPI document as JSON text, with exact integers. Complete once the app is ready. */
    openapiText: () => string;
  }
}

// The page loads everything from this service, and runs no inline script.
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

// The plugin's own copy of the document rounds 64-bit integers, and its redirects ignore the base path.
const redirects: Record<string, string> = {
  '/docs/json': '/openapi.json',
  '/docs/yaml': '/openapi.yaml',
  '/docs/static/index.html': '/docs/',
};

async function redirectOrServe(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  // Serves whole files: a range or precondition that cannot be satisfied would be an error.
  for (const name of ['range', 'if-match', 'if-unmodified-since']) delete request.headers[name];
  const path = redirects[request.routeOptions.url ?? ''];
  if (path) await reply.redirect(request.basePath + path);
}

/** What the document and Swagger UI depend on. */
export interface OpenapiOptions {
  /** The path prefix that a reverse proxy strips. */
  basePath: string;
  /** The messages that the service sends, as the document has them. */
  webhooks?: object | undefined;
}

/** Collects later routes into an OpenAPI 3.1 document, and serves it with Swagger UI. */
export const openapiPlugin: FastifyPluginAsync<OpenapiOptions> = fp(
  async (app: FastifyInstance, { basePath, webhooks }: OpenapiOptions) => {
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
      openapi: { ...documentBase, ...(webhooks && { webhooks }) },
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
    await getJsonDocument(app, { openapiText });
    await getYamlDocument(app, { openapiText });

    await app.register(async (docs) => {
      docs.addHook('onRequest', redirectOrServe);
      docs.addHook('onRoute', (route) => {
        route.handlerTimeout = maxDownloadMs;
      });
      const shareFile = makeSharedFiles();
      docs.addHook('onSend', (_request, _reply, payload) => shareFile(payload));
      await docs.register(swaggerUi, {
        routePrefix: '/docs',
        indexPrefix: basePath,
        staticCSP: contentSecurityPolicy,
        theme: { title: documentBase.info.title },
        uiConfig: {
          layout: 'BaseLayout', // without the bar for loading other documents
          validatorUrl: null, // the validator would send the document to another server
          displayRequestDuration: true,
          tryItOutEnabled: true,
          deepLinking: true,
        },
      });
    });
  },
);
