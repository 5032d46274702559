import type { Log } from '#telemetry/log.ts';
import { type Authenticate, openToAll } from '../access.ts';
import { openApiKeys } from './api-keys.ts';
import { makeRefuse } from './challenges.ts';
import { type ClientAuthorities, makeClientCertificates } from './client-certificate.ts';
import { makeAuthenticate, type Verifiers } from './combine-methods.ts';
import type { IssuerKeysOptions } from './jwt/issuer-keys.ts';
import type { AuthenticationSettings } from './settings.ts';

/** What authentication is opened with. */
export interface AuthenticationOptions extends Omit<IssuerKeysOptions, 'log'> {
  settings: AuthenticationSettings;
  /** Epoch ms. */
  now: () => number;
  /** The CA certificates of client certificates; without them no certificate is accepted. */
  clientAuthorities?: ClientAuthorities | undefined;
  log: Log;
}

/** Authentication by the configured methods. */
export interface Authentication extends AsyncDisposable {
  authenticate: Authenticate;
}

const none: ClientAuthorities = { current: () => [], of: () => undefined };

/**
 * Opens the configured methods; without any, every caller is `anonymous`. It does not wait for token
 * issuers: their callers get 503 until the keys of the issuer are fetched.
 * @throws an error named ConfigError if the file of API keys is invalid
 */
export async function openAuthentication(options: AuthenticationOptions): Promise<Authentication> {
  const { settings, now, readFile, sleep, log, clientAuthorities = none } = options;
  const { methods, issuers, apiKeysFile: path = '' } = settings;
  await using opening = new AsyncDisposableStack();
  const refuse = makeRefuse(methods);
  const verifiers: Verifiers = {};
  if (methods.includes('api-key')) {
    const refuseKey = (reason: string) => refuse('api-key', reason);
    const keys = await openApiKeys({ path, readFile, now, sleep, log, refuse: refuseKey });
    verifiers['api-key'] = opening.use(keys).verify;
  }
  if (methods.includes('jwt')) {
    // Loaded on demand: jose costs start-up time and memory.
    const { openIssuerKeys } = await import('./jwt/issuer-keys.ts');
    const { makeTokens } = await import('./jwt/tokens.ts');
    verifiers.jwt = makeTokens({
      issuers: issuers.map((issuer) => ({
        settings: issuer,
        keys: opening.use(openIssuerKeys(issuer, options)),
      })),
      now,
      refuse: (reason) => refuse('jwt', reason),
    });
  }
  if (methods.includes('mtls')) {
    verifiers.mtls = makeClientCertificates({
      now,
      refuse: (reason) => refuse('mtls', reason),
      authorities: clientAuthorities,
    });
  }
  const opened = opening.move();
  const isOpenToAll = methods.length === 0;
  return {
    authenticate: isOpenToAll ? openToAll.authenticate : makeAuthenticate(verifiers, refuse),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
