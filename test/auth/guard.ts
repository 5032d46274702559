import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';

import { type Access, openToAll } from '#auth/access.ts';
import {
  type Authentication,
  type AuthenticationOptions,
  openAuthentication,
} from '#auth/authentication/open-authentication.ts';
import type { AuthenticationSettings } from '#auth/authentication/settings.ts';
import type { Principal } from '#auth/principal.ts';
import { Problem } from '#problems/problem.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { sleepUntilAborted } from '#time/sleep.ts';
import type { LogLine } from '../world.ts';
import type { Issuer } from './issuer.ts';

/** Authentication as the gateway opens it, with shortcuts for tests. */
export interface Guard extends Authentication {
  log: LogLine[];
  /** Verifies a token. */
  ofToken(token: string): Promise<Principal>;
  /** Verifies a token; returns its caller, or the logged reason of the refusal. */
  verify(token: string): Promise<string>;
  /** For the `access` of a world: these callers, with every permission. */
  access: () => Access;
}

/** Opens authentication with the real clock and real files unless a test replaces them. */
export async function openGuard(
  settings: Partial<AuthenticationSettings>,
  options: Partial<AuthenticationOptions> = {},
): Promise<Guard> {
  const log: LogLine[] = [];
  const authentication = await openAuthentication({
    settings: { methods: ['jwt'], issuers: [], ...settings },
    readFile: (path) => readFile(path, 'utf8'),
    now: Date.now,
    elapsed: () => performance.now(),
    fetchMs: 60_000,
    sleep: sleepUntilAborted,
    log: makeLogger('info', { write: (line: string) => void log.push(JSON.parse(line)) }),
    ...options,
  });
  const { authenticate } = authentication;
  const ofToken = async (token: string) =>
    authenticate(requestWith(['Authorization', `Bearer ${token}`]));
  return {
    ...authentication,
    log,
    ofToken,
    verify: (token) => ofToken(token).then(({ id }) => id, reasonOf),
    access: () => ({
      ...openToAll,
      methods: settings.methods ?? ['jwt'],
      authenticate,
      signatures: authentication.signatures,
    }),
  };
}

/** The settings of an issuer of a test. */
export function settingsOf({ url }: Issuer) {
  return { issuer: url, audiences: ['log-export-gateway'] };
}

/** A request with these raw headers, with the members that authentication reads. */
export function requestWith(rawHeaders: string[], url = '/export-tasks'): IncomingMessage {
  return { rawHeaders, url, socket: {} } as IncomingMessage;
}

/** The logged reason of a refusal. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Problem)) throw error;
  return (error.cause as Error | undefined)?.message ?? error.slug;
}
