import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Audit } from '#audit/audit.ts';
import type { Access } from '#auth/access.ts';
import { addCredential, type Credential } from '#auth/authentication/credentials.ts';
import type { BudgetUse } from '#auth/limits/budget.ts';
import { Problem } from '#problems/problem.ts';
import { enteredMethods, signInPage } from '../../pages/sign-in-page.ts';
import type { OpenSession } from '../../session/open-session.ts';
import { readOwnForm } from '../../session/own-form.ts';
import { toReturnPath } from '../../session/return-path.ts';
import { formTokenOf, toSetCookie } from '../../session/session.ts';
import type { SendPage } from '../send-page.ts';

const Query = Type.Object({ next: Type.Optional(Type.String()) });

/** What the sign-in needs. */
export interface SignInOptions {
  access: Pick<Access, 'methods' | 'authenticate'>;
  audit: Audit;
  /** Counts an attempt of an address. */
  countAttempt: (address: string) => BudgetUse;
  openSession: OpenSession;
  newId: () => string;
  sendPage: SendPage;
}

/** Takes the credential of a caller and keeps it in the session cookie of the browser. */
export const signIn: FastifyPluginAsyncTypebox<SignInOptions> = async (app, options) => {
  const { access, audit, countAttempt, openSession, newId, sendPage } = options;
  const methods = enteredMethods(access.methods);

  app.route({
    method: 'GET',
    url: '/ui/sign-in',
    schema: { querystring: Query },
    config: { produces: ['text/html'] },
    handler: async (request, reply) => {
      const next = toReturnPath(request.query.next);
      if (methods.length === 0) return reply.redirect(request.basePath + next, 303);
      return sendForm(request, reply, next);
    },
  });

  app.route({
    method: 'POST',
    url: '/ui/sign-in',
    config: { produces: ['text/html'] },
    // Before the body is read: a form that never ends is an attempt, too.
    onRequest: async ({ raw }) => {
      const { isAllowed, resetSeconds } = countAttempt(raw.socket.remoteAddress ?? '');
      if (isAllowed) return;
      const detail = 'Too many sign-ins were tried from this address.';
      throw new Problem('rate-limited', detail, { retryAfterSeconds: resetSeconds });
    },
    handler: async (request, reply) => {
      const { raw, basePath } = request;
      const form = readOwnForm(raw, request.body);
      const next = toReturnPath(form.get('next'));
      const credential = readCredentialOf(form);
      const problem = await refusalOf(request, credential);
      if (problem) {
        reply.code(problem.kind.status).header('www-authenticate', problem.members.challenges);
        return sendForm(request, reply, next, problem.detail);
      }
      // A new id: nobody who knew the one of the form knows it.
      const cookie = toSetCookie({ id: newId(), credential }, raw, basePath);
      if (cookie === undefined) {
        reply.code(400);
        return sendForm(request, reply, next, 'The token is too long for the cookie of a browser.');
      }
      return reply.header('set-cookie', cookie).redirect(basePath + next, 303);
    },
  });

  function sendForm(request: FastifyRequest, reply: FastifyReply, next: string, message?: string) {
    const { basePath, raw } = request;
    const session = openSession(raw, reply);
    const ended =
      session.credential && 'Your session has ended, or its credential is no longer accepted.';
    const token = formTokenOf(session);
    const view = { basePath, methods, next, token, message: message ?? ended };
    return sendPage(request, reply, signInPage(view));
  }

  function readCredentialOf(form: URLSearchParams): Credential {
    const entered = methods.find((kind) => kind === form.get('kind'));
    const kind = entered ?? methods[0] ?? 'jwt';
    const text = form.get('credential')?.trim() ?? '';
    // A header carries the bytes of the text.
    return { kind, text: Buffer.from(text, 'utf8').toString('latin1') };
  }

  /** Authenticates the caller as the API would, with this credential alone. */
  async function refusalOf(request: FastifyRequest, credential: Credential) {
    const { raw, id } = request;
    const alone = Object.create(raw, { rawHeaders: { value: [] } });
    try {
      await access.authenticate(addCredential(alone, credential));
      return undefined;
    } catch (error) {
      if (!(error instanceof Problem) || error.slug !== 'unauthenticated') throw error;
      request.problem = error;
      audit.refusal({ requestId: id, route: '/ui/sign-in', error: error.detail });
      return error;
    }
  }
};
