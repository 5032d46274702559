import type {
  FastifyError,
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
} from 'fastify';
import fp from 'fastify-plugin';

import type { ProblemSlug } from './catalogue.ts';
import { Problem, problemMediaType, toProblemBody } from './problem.ts';
import { getProblem } from './routes/get-problem.ts';
import { listProblems } from './routes/list-problems.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The problems of this operation's own; `declaredProblems` adds those any request may meet. */
    problems?: readonly ProblemSlug[];
    /** What it means when the operation did not end in time; `aws-timeout` when left out. */
    timeoutProblem?: ProblemSlug;
    /** The media types the operation answers; `application/json` when left out. */
    produces?: string[];
  }
  interface FastifyRequest {
    /** The problem this request was answered with, for the log. */
    problem: Problem | undefined;
  }
}

/**
 * Turns everything that goes wrong into a problem. Registered before any route, so that a wrong
 * method can be told from a wrong path on each of them.
 */
export const problemsPlugin: FastifyPluginAsync = fp(async (app: FastifyInstance) => {
  app.decorateRequest('problem', undefined);
  const methodsOf = collectMethods(app);

  app.setErrorHandler((error: FastifyError, request, reply) =>
    answerProblem(toProblem(error, request), request, reply),
  );
  app.setNotFoundHandler((request, reply) => {
    const allowed = methodsOf(request.url);
    if (allowed.length === 0 || allowed.includes(request.method)) {
      return answerProblem(new Problem('no-such-route', 'Nothing has this path.'), request, reply);
    }
    const allow = allowed.join(', ');
    void reply.header('allow', allow);
    return answerProblem(
      new Problem('method-not-allowed', `Allowed here: ${allow}.`),
      request,
      reply,
    );
  });
});

/** Registers the routes of the catalogue, where the `type` of every problem leads. */
export const cataloguePlugin: FastifyPluginAsync = async (app) => {
  await app.register(listProblems);
  await app.register(getProblem);
};

/** Answers with a problem and leaves it on the request for the log line. */
export function answerProblem(
  problem: Problem,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  request.problem = problem;
  const { retryAfterSeconds } = problem;
  const { challenges } = problem.members;
  if (challenges) void reply.header('www-authenticate', challenges);
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', retryAfterSeconds);
  return reply
    .code(problem.kind.status)
    .type(problemMediaType)
    .send(JSON.stringify(toProblemBody(problem, request.id, request.basePath)));
}

/** Fastify's own errors, by code: the problem each is, and what is said of it. */
const frameworkErrors: Record<string, [ProblemSlug, string]> = {
  FST_ERR_BAD_URL: ['malformed-request', 'The path is not decodable percent-encoded UTF-8.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported-media-type',
    'The Content-Type must be application/json, with no charset but utf-8.',
  ],
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: [
    'unsupported-media-type',
    'This method needs a Content-Type: application/json.',
  ],
  FST_STATIC_FORBIDDEN_PATH: ['no-such-route', 'Nothing has this path.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'malformed-request',
    'The body has another length than Content-Length says.',
  ],
};

/** The problem an error is; what is unknown here is a defect, and its text stays inside. */
export function toProblem(error: FastifyError | Problem, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error;
  if (error.code === 'FST_ERR_HANDLER_TIMEOUT') {
    const slug = request.routeOptions.config.timeoutProblem ?? 'aws-timeout';
    return new Problem(slug, 'The operation took too long.', { cause: error });
  }
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    const limit = request.routeOptions.bodyLimit.toLocaleString('en');
    return new Problem('body-too-large', `The body has more than ${limit} bytes.`);
  }
  const known = frameworkErrors[error.code];
  if (known) return new Problem(known[0], known[1], { cause: error });
  return new Problem('internal-error', 'The gateway failed on this request.', { cause: error });
}

/** Remembers which methods each path takes, so that a wrong method can be told from a wrong path. */
function collectMethods(app: FastifyInstance): (url: string) => string[] {
  const routes: { path: RegExp; methods: string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = url
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : RegExp.escape(part)))
      .join('/');
    routes.push({ path: new RegExp(`^${pattern}$`), methods: [method].flat() });
  });
  return (url) => {
    const [path = ''] = url.split('?', 1);
    const allowed = new Set(routes.filter((r) => r.path.test(path)).flatMap((r) => r.methods));
    return [...allowed].sort();
  };
}
