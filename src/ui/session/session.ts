import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

import {
  addCredential,
  type Credential,
  readCredential,
} from '#auth/authentication/credentials.ts';

/**
 * A session of a browser: a random id that its forms are bound to and, after a sign-in, the credential of the
 * caller. The browser keeps both in a cookie; the service keeps nothing, so each replica accepts it.
 */
export interface Session {
  id: string;
  credential?: Credential | undefined;
}

const cookieName = 'log-export-session';
const value = /^([0-9a-f-]{36})(?:\.([jk])([\w.~+/=-]+))?$/;

// Lower: an operator signs in during a night shift. Higher: a browser that is left open keeps an API key longer.
const maxAgeSeconds = 12 * 3_600;
// Browsers drop a cookie with a longer name and value, without a word.
const maxCookieLength = 4_096;

/** Reads the session of a request; undefined unless it has exactly one well-formed session cookie. */
export function readSession({ headers }: Pick<IncomingMessage, 'headers'>): Session | undefined {
  const found = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${cookieName}=`));
  const [, id, kind, text] =
    (found.length === 1 && value.exec(found[0]?.slice(cookieName.length + 1) ?? '')) || [];
  if (id === undefined) return undefined;
  if (kind === undefined || text === undefined) return { id };
  const credential: Credential =
    kind === 'j'
      ? { kind: 'jwt', text }
      : { kind: 'api-key', text: Buffer.from(text, 'base64url').toString('latin1') };
  return { id, credential };
}

/**
 * Returns a request with the credential of its session in the headers, or the request itself. A credential in its
 * headers takes precedence: a proxy may have signed in for the browser.
 */
export function withSessionCredential(request: IncomingMessage): IncomingMessage {
  if (readCredential(request) !== 'missing') return request;
  const credential = readSession(request)?.credential;
  return credential ? addCredential(request, credential) : request;
}

/** The text of the Set-Cookie header that starts a session; undefined if the credential is too long for a cookie. */
export function toSetCookie(
  { id, credential }: Session,
  request: IncomingMessage,
  basePath: string,
): string | undefined {
  const pair = `${cookieName}=${id}${credential ? `.${toCookieText(credential)}` : ''}`;
  if (pair.length > maxCookieLength) return undefined;
  return `${pair}; Max-Age=${maxAgeSeconds}; ${attributesFor(request, basePath)}`;
}

/** The text of the Set-Cookie header that ends a session. */
export function toEndingSetCookie(request: IncomingMessage, basePath: string): string {
  return `${cookieName}=; Max-Age=0; ${attributesFor(request, basePath)}`;
}

function toCookieText({ kind, text }: Credential): string {
  return kind === 'jwt' ? `j${text}` : `k${Buffer.from(text, 'latin1').toString('base64url')}`;
}

function attributesFor(request: IncomingMessage, basePath: string): string {
  const secure = isOverTls(request) ? '; Secure' : '';
  return `Path=${basePath}/ui; HttpOnly; SameSite=Strict${secure}`;
}

/**
 * Whether the browser reaches this service over TLS, as far as that is known. A proxy may have ended TLS. Anyone
 * can send these headers, but with them a client only restricts its own cookie.
 */
function isOverTls({ socket, headers }: IncomingMessage): boolean {
  const { origin, 'x-forwarded-proto': protocol } = headers;
  const isEncrypted = (socket as Partial<TLSSocket>).encrypted === true;
  return isEncrypted || protocol === 'https' || origin?.startsWith('https:') === true;
}

/** The token that the forms of a session carry. Pages of others cannot read the id it is made of. */
export function formTokenOf({ id }: Session): string {
  return createHash('sha256').update(`form ${id}`).digest('base64url');
}

/** Whether a form carries the token of its session. */
export function isFormOf(session: Session | undefined, token: string | null): boolean {
  if (!session || token === null) return false;
  const [sent, expected] = [token, formTokenOf(session)].map((text) => Buffer.from(text));
  return sent?.length === expected?.length && timingSafeEqual(sent as Buffer, expected as Buffer);
}
