import type {
  FastifyError,
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
} from 'fastify';

import type { ArchiveOperations } from '#archives/operations/archive-operations.ts';
import type { Audit } from '#audit/audit.ts';
import type { Access } from '#auth/access.ts';
import { makeBudget } from '#auth/limits/budget.ts';
import type { JobOperations } from '#export-jobs/operations/job-operations.ts';
import { wantsPage } from '#problems/page.ts';
import { answerProblem, toProblem } from '#problems/plugin.ts';
import { Problem } from '#problems/problem.ts';
import type { TargetAccess } from '#targets/target-access.ts';
import { readAssets } from './assets/read-assets.ts';
import { continuePage } from './pages/continue-page.ts';
import { problemPage } from './pages/problem-page.ts';
import { enteredMethods } from './pages/sign-in-page.ts';
import { changeArchivePage } from './routes/archives/change-archive.ts';
import { showArchivePage } from './routes/archives/show-archive.ts';
import { showArchives } from './routes/archives/show-archives.ts';
import { showCoverage } from './routes/archives/show-coverage.ts';
import { changeJob } from './routes/change-job.ts';
import { followJob } from './routes/follow-job.ts';
import { getAsset } from './routes/get-asset.ts';
import { getRoot } from './routes/get-root.ts';
import { makeSendPage, type SendPage } from './routes/send-page.ts';
import { showJobPage } from './routes/show-job.ts';
import { showJobs } from './routes/show-jobs.ts';
import { showTargetPage } from './routes/show-target.ts';
import { showTargets } from './routes/show-targets.ts';
import { signIn } from './routes/sign-in/sign-in.ts';
import { signOut } from './routes/sign-in/sign-out.ts';
import { makeOpenSession } from './session/open-session.ts';
import { requireOwnPage } from './session/own-form.ts';
import { toReturnPath, toSignInUrl } from './session/return-path.ts';
import { readSession, withSessionCredential } from './session/session.ts';

/** What the pages show, and who may see it. */
export interface UiOptions {
  access: Access;
  audit: Audit;
  targetAccess: TargetAccess;
  /** The operations on export jobs; absent when jobs are off. */
  operations: JobOperations | undefined;
  /** The operations on archives; absent when jobs are off. */
  archiveOperations: ArchiveOperations | undefined;
  basePath: string;
  newId: () => string;
  now: () => number;
  elapsed: () => number;
}

// For each address; behind a proxy, all people share one. Lower: a team that signs in at the same time is
// refused. Higher: more guesses are verified.
const signInsPerMinute = 30;
// The longest token that fits into a cookie, with every character percent-encoded.
const formBytes = 16_384;

/** Registers the pages for people. They have the operations, policies and limits of the API. */
export const uiPlugin: FastifyPluginAsync<UiOptions> = async (app, options) => {
  const { access, audit, targetAccess, operations, archiveOperations, basePath } = options;
  const { newId, now, elapsed } = options;
  const { authorizer } = access;
  const assets = readAssets();
  const hasJobs = operations !== undefined;
  const sendPage = makeSendPage({ assets, basePath, hasJobs });
  const openSession = makeOpenSession(newId, basePath);
  const countAttempt = makeBudget(signInsPerMinute, elapsed);

  // All routes but `/`, which is a page for browsers only.
  app.addHook('onRoute', (route) => {
    if (route.url === '/') return;
    if (route.method === 'POST') route.bodyLimit = formBytes;
    const config = { problems: [], produces: ['text/html'], ...route.config };
    Object.assign(route, { config: { ...config, withCredential: withSessionCredential } });
  });
  // Before the body is read: anyone can send one to the sign-in.
  app.addHook('onRequest', async ({ method, raw }) => {
    if (method === 'POST') requireOwnPage(raw);
  });
  // A form sends its empty fields, too.
  app.addHook('preValidation', async ({ query }) => {
    const parameters = query as Record<string, unknown>;
    for (const name of Object.keys(parameters))
      if (parameters[name] === '') delete parameters[name];
  });
  acceptForms(app);
  app.setErrorHandler(makeErrorHandler(sendPage, enteredMethods(access.methods).length > 0));

  await getRoot(app, {});
  await getAsset(app, { assets });
  await signIn(app, { access, audit, countAttempt, openSession, newId, sendPage });
  await signOut(app, {});
  await showTargets(app, { targetAccess, sendPage, now });
  const readTimeline = operations?.readTimeline;
  await showTargetPage(app, { targetAccess, readTimeline, sendPage, now });
  if (!operations) return;
  await showJobs(app, { list: operations.list, sendPage });
  await showJobPage(app, { operations, authorizer, openSession, sendPage, now });
  await followJob(app, { openStream: operations.openStream });
  await changeJob(app, { changes: operations.changes });
  if (!archiveOperations) return;
  await showArchives(app, { list: archiveOperations.list, sendPage, now });
  const shown = { operations: archiveOperations, authorizer, openSession, sendPage, now };
  await showArchivePage(app, shown);
  await showCoverage(app, { operations: archiveOperations });
  await changeArchivePage(app, { changes: archiveOperations.changes });
};

/** Accepts the bodies that forms send, and no others. */
function acceptForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/x-www-form-urlencoded', async (request: FastifyRequest) => {
    const bytes = await request.readBody();
    return new URLSearchParams(bytes?.toString('utf8'));
  });
  app.addContentTypeParser('*', async () => {
    const detail = 'The Content-Type must be application/x-www-form-urlencoded.';
    throw new Problem('unsupported-media-type', detail);
  });
}

/** Answers a browser with a page, or with the sign-in, and other clients as the API does. */
function makeErrorHandler(sendPage: SendPage, canSignIn: boolean) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const problem = toProblem(error, request);
    if (!wantsPage(request)) return answerProblem(problem, request, reply);
    request.problem = problem;
    const { id, method, url, basePath, raw } = request;
    const { challenges } = problem.members;
    const mustSignIn = problem.slug === 'unauthenticated' && canSignIn;
    const isLinked = raw.headers['sec-fetch-site'] === 'cross-site' && !readSession(raw);
    if (mustSignIn && !isLinked) {
      return reply.redirect(toSignInUrl(basePath, { method, url }), 303);
    }
    const { retryAfterSeconds } = problem;
    if (challenges) reply.header('www-authenticate', challenges);
    if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
    reply.code(problem.kind.status);
    const page = mustSignIn
      ? continuePage(basePath + toReturnPath(url))
      : problemPage(problem, id, basePath);
    return sendPage(request, reply, page);
  };
}
