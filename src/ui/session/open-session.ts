import type { IncomingMessage } from 'node:http';

import { readSession, type Session, toSetCookie } from './session.ts';

/** Returns the session of a request, for the forms of its page. Starts one if there is none. */
export type OpenSession = (
  request: IncomingMessage,
  reply: { header(name: 'set-cookie', value: string | undefined): unknown },
) => Session;

/** Makes `OpenSession`. `newId` returns an unguessable UUID. */
export function makeOpenSession(newId: () => string, basePath: string): OpenSession {
  return (request, reply) => {
    const known = readSession(request);
    if (known) return known;
    const session = { id: newId() };
    reply.header('set-cookie', toSetCookie(session, request, basePath));
    return session;
  };
}
