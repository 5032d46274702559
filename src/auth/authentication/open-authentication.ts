import type { Log } from '#telemetry/log.ts';
import { type Authenticate, openToAll } from '../access.ts';
import { openApiKeys } from './api-keys.ts';
import { makeAuthenticate, type Verifiers } from './authenticate.ts';
import { type ClientAuthorities, makeClientCertificates } from './client-certificate.ts';
import type { IssuerKeysOptions } from './jwt/issuer-keys.ts';
import { makeRefuse } from './refusals.ts';
import type { AuthenticationSettings } from './settings.ts';

/** What authentication is opened with. */
export interface AuthenticationOptions extends Omit<IssuerKeysOptions, 'log'> {
  settings: AuthenticationSettings;
  /** Epoch ms. */
  now: () => number;
  /** Who signs certificates of callers; without them none is accepted. */
  clientAuthorities?: ClientAuthorities | undefined;
  log: Log;
}

/** Who is calling, by whatever methods are configured. */
export interface Authentication extends AsyncDisposable {
  authenticate: Authenticate;
}

const none: ClientAuthorities = { current: () => [], of: () => undefined };

/**
 * Opens the methods of the settings; without any, everybody is the same. It does not wait for the
 * issuers of tokens: until their keys are there, their callers are answered 503.
 * @throws an error named ConfigError when the file of API keys is not good
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
    // Only those who use it pay for it.
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
