import type {
  FastifyError,
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
} from 'fastify';
import fp from 'fastify-plugin';

import type { ProblemSlug } from './catalogue.ts';
import { inDigits, statedLimits } from './limits.ts';
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
    /** Whether the paths of the route count as unknown for requests that it does not take. Default: false. */
    isFallback?: boolean;
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
  app.setNotFoundHandler(answerNotFound);
  // Fastify would read the body first, whoever sends it.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) answerNotFound(request, reply);
    else done();
  });

  function answerNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const allowed = methodsOf(request.url);
    if (allowed.length === 0 || allowed.includes(request.method)) {
      return answerProblem(
        new Problem('no-such-route', 'No operation has this path.'),
        request,
        reply,
      );
    }
    const allow = allowed.join(', ');
    void reply.header('allow', allow);
    return answerProblem(
      new Problem('method-not-allowed', `This path allows ${allow}.`),
      request,
      reply,
    );
  }
});

/** Registers the routes of the catalogue, where the `type` of every problem leads. */
export const cataloguePlugin: FastifyPluginAsync = async (app) => {
  await listProblems(app, {});
  await getProblem(app, {});
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

/**
 * The errors of Fastify and of its file server that a request can cause, by code: the problem each
 * is, and its detail. Every other error is a defect.
 */
export const frameworkErrors: Readonly<Record<string, readonly [ProblemSlug, string]>> = {
  FST_ERR_BAD_URL: ['malformed-request', 'The path is not valid percent-encoded UTF-8.'],
  FST_ERR_MAX_PARAM_LENGTH: [
    'url-too-long',
    `A segment of the path has more than ${inDigits(statedLimits.urlBytes)} bytes.`,
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported-media-type',
    'The Content-Type must be application/json, without a charset or with utf-8.',
  ],
  FST_ERR_HANDLER_TIMEOUT: [
    'aws-timeout',
    'The request took longer than the time limit of its operation.',
  ],
  FST_STATIC_FORBIDDEN_PATH: ['no-such-route', 'No operation has this path.'],
};

/** What of a request decides on its problem. */
type Asked = Pick<FastifyRequest, 'raw' | 'routeOptions'>;

/** The problem an error is. An unknown error is a defect: its text stays inside. */
export function toProblem(cause: Error & { code?: string }, request: Asked): Problem {
  if (cause instanceof Problem) return cause;
  const known = frameworkErrors[cause.code ?? ''];
  if (!known)
    return new Problem(
      'internal-error',
      'The service failed on this request because of a defect.',
      { cause },
    );
  const [slug, detail] = known;
  return new Problem(slug === 'aws-timeout' ? timeoutOf(request) : slug, detail, { cause });
}

/**
 * What it is that a request did not end in time. The time of an operation begins with its first byte, so
 * a body that does not come may use it up.
 */
export function timeoutOf({ raw, routeOptions }: Asked): ProblemSlug {
  if (!raw.complete) return 'request-timeout';
  return routeOptions.config.timeoutProblem ?? 'aws-timeout';
}

/** Remembers which methods each path takes, so that a wrong method can be told from a wrong path. */
function collectMethods(app: FastifyInstance): (url: string) => string[] {
  const routes: { path: RegExp; methods: string[] }[] = [];
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.isFallback) return;
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
