import type { Socket } from 'node:net';

import type { Authenticate } from '../access.ts';
import type { Principal } from '../principal.ts';
import { type Credential, readCredential } from './credentials.ts';
import type { Refuse } from './refusals.ts';

/** Says whose a credential is. @throws Problem unauthenticated */
export type Verify = (text: string) => Principal | Promise<Principal>;

/** How to verify each kind of credential; one without is not accepted. */
export interface Verifiers extends Partial<Record<Credential['kind'], Verify>> {
  /** Says whose the certificate of a connection is; undefined when it has none. */
  mtls?: (socket: Socket) => Principal | undefined;
}

/**
 * Makes of several methods one. What is in the headers decides: a certificate may be that of a proxy
 * on the way, a header is the caller's own. So a certificate counts where there is none, and never
 * saves a request whose header is refused.
 */
export function makeAuthenticate(verifiers: Verifiers, refuse: Refuse): Authenticate {
  return (request) => {
    const credential = readCredential(request);
    if (credential === 'malformed') throw refuse('malformed', 'not exactly one, well-formed');
    if (credential === 'missing') {
      const principal = verifiers.mtls?.(request.socket);
      if (!principal) throw refuse('missing');
      return principal;
    }
    const verify = verifiers[credential.kind];
    if (!verify) throw refuse('malformed', `AUTH has no ${credential.kind}`);
    return verify(credential.text);
  };
}
