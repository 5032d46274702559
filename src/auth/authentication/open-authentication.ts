import type { Log } from '#telemetry/log.ts';
import { type Authenticate, openToAll } from '../access.ts';
import { anonymous } from '../principal.ts';
import { openApiKeys } from './api-keys.ts';
import { makeRefuse } from './challenges.ts';
import { type ClientAuthorities, makeClientCertificates } from './client-certificate.ts';
import { makeAuthenticate, type Verifiers } from './combine-methods.ts';
import type { IssuerKeysOptions } from './jwt/issuer-keys.ts';
import type { AuthenticationSettings } from './settings.ts';
import { refuseSigned } from './signature/refusals.ts';
import {
  makeSignatures,
  makeUnverifiedSignatures,
  type Signatures,
  type SignaturesOptions,
} from './signature/signatures.ts';

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
  /** The verification of signed requests; undefined if the wire endpoint is off. */
  signatures: Signatures | undefined;
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
  let findKey: SignaturesOptions['findKey'] = () => undefined;
  let verifyToken: SignaturesOptions['verifyToken'];
  if (methods.includes('api-key')) {
    const refuseKey = (reason: string) => refuse('api-key', reason);
    const keys = await openApiKeys({ path, readFile, now, sleep, log, refuse: refuseKey });
    verifiers['api-key'] = opening.use(keys).verify;
    findKey = keys.findSigningKey;
  }
  if (methods.includes('jwt')) {
    // Loaded on demand: jose costs start-up time and memory.
    const { openIssuerKeys } = await import('./jwt/issuer-keys.ts');
    const { isExpiry, makeTokens } = await import('./jwt/tokens.ts');
    const trusted = issuers.map((issuer) => ({
      settings: issuer,
      keys: opening.use(openIssuerKeys(issuer, options)),
    }));
    const tokens = { issuers: trusted, now };
    verifiers.jwt = makeTokens({ ...tokens, refuse: (reason) => refuse('jwt', reason) });
    if (settings.signatures) {
      verifyToken = makeTokens({
        ...tokens,
        refuse: (reason) => refuseSigned(isExpiry(reason) ? 'expired-key' : 'invalid-key', reason),
      });
    }
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
    signatures:
      settings.signatures &&
      (isOpenToAll
        ? makeUnverifiedSignatures(anonymous)
        : makeSignatures({ ...settings.signatures, findKey, verifyToken, now })),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
