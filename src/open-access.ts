import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';

import type { Audit } from '#audit/audit.ts';
import type { Access } from '#auth/access.ts';
import { openAuthentication } from '#auth/authentication/open-authentication.ts';
import { openAuthorizer } from '#auth/authorization/open-authorizer.ts';
import { isLoopback } from '#config/access.ts';
import type { Config } from '#config/read-config.ts';
import { openTls, type Tls } from '#edge/tls.ts';
import { listDirectory, readFile } from '#files/read-file.ts';
import type { PollSleep } from '#files/reload-signal.ts';

/** What access control needs besides its configuration. */
export interface OpenAccessOptions {
  audit: Audit;
  log: Logger;
  elapsed: () => number;
  sleep: PollSleep;
}

/** Authentication, authorization and, if configured, TLS. */
export interface OpenAccess extends AsyncDisposable {
  access: Access;
  tls: Tls | undefined;
}

/**
 * Opens authentication, authorization and TLS. Their files are loaded again when they change.
 * @throws an error named ConfigError if one of the files is invalid
 */
export async function openAccess(
  { access: config, wire, basePath, proxyEnv }: Config,
  { audit, log, elapsed, sleep }: OpenAccessOptions,
): Promise<OpenAccess> {
  await using opening = new AsyncDisposableStack();
  const files = { readFile: async (path: string) => (await readFile(path)).toString(), sleep, log };
  const tls = config.tls && opening.use(await openTls(config.tls, files));
  const { authentication: settings, policyDir } = config;
  const { authenticate, signatures } = opening.use(
    await openAuthentication({
      ...files,
      settings: { ...settings, ...(wire && { signatures: { ...wire, basePath } }) },
      elapsed,
      now: Date.now,
      proxyEnv,
      clientAuthorities: tls?.clientAuthorities,
    }),
  );
  const authorizer = opening.use(
    await openAuthorizer({
      policyDir,
      isAuthenticationOn: settings.methods.length > 0,
      files: { list: listDirectory, read: readFile },
      newId: randomUUID,
      sleep,
      audit,
      log,
    }),
  );
  const opened = opening.move();
  return {
    access: { methods: settings.methods, authenticate, signatures, authorizer },
    tls,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Logs how callers authenticate: a warning if they do not and other machines can reach the service. */
export function logAuthMode({ access, host }: Config, log: Logger): void {
  const { methods, issuers } = access.authentication;
  if (methods.length > 0) {
    log.info({ methods, issuers: issuers.map(({ issuer }) => issuer) }, 'authentication enabled');
  } else {
    const text = 'authentication disabled; anyone who can reach the port can call the gateway';
    log[isLoopback(host) ? 'info' : 'warn']({ host }, text);
  }
}
