import type { Socket } from 'node:net';

import type { Authenticate } from '../access.ts';
import type { Principal } from '../principal.ts';
import type { Refuse } from './challenges.ts';
import { type Credential, readCredential } from './credentials.ts';

/** Verifies a credential and returns its caller. @throws Problem unauthenticated */
export type Verify = (text: string) => Principal | Promise<Principal>;

/** The verifier of each kind of credential. A kind without a verifier is refused. */
export interface Verifiers extends Partial<Record<Credential['kind'], Verify>> {
  /** Verifies the certificate of a connection; undefined if it has none. */
  mtls?: (socket: Socket) => Principal | undefined;
}

/**
 * Combines several methods into one. A credential in the headers has precedence: it is the caller's own,
 * but a certificate may belong to a proxy. So a certificate counts only without a credential, and never
 * rescues a request whose credential is refused.
 */
export function makeAuthenticate(verifiers: Verifiers, refuse: Refuse): Authenticate {
  return (request) => {
    const credential = readCredential(request);
    if (credential === 'malformed')
      throw refuse('malformed', 'not exactly one well-formed credential');
    if (credential === 'missing') {
      const principal = verifiers.mtls?.(request.socket);
      if (!principal) throw refuse('missing');
      return principal;
    }
    const verify = verifiers[credential.kind];
    if (!verify) throw refuse('malformed', `AUTH does not contain ${credential.kind}`);
    return verify(credential.text);
  };
}
