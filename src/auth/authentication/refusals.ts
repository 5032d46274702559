import { Problem } from '#problems/problem.ts';
import type { AuthMethod } from './settings.ts';

/** What is wrong with what came: nothing, not exactly one credential, or one of a kind that is refused. */
type Fault = 'missing' | 'malformed' | AuthMethod;

/** Makes the answer to a request whose caller is not known. `reason` is for the log alone. */
export type Refuse = (fault: Fault, reason?: string) => Problem;

const details: Record<Fault, string> = {
  missing: 'The request has no credentials.',
  malformed:
    'The request must have exactly one credential, of an accepted kind and in the right form.',
  jwt: 'This service does not accept the token.',
  'api-key': 'This service does not accept the API key.',
  mtls: 'This service does not accept the client certificate.',
};

// HTTP has no scheme for certificates, but a 401 must have a challenge; this one says what to bring.
const challenges: Record<AuthMethod, { scheme: string; error: string }> = {
  jwt: { scheme: 'Bearer', error: 'invalid_token' },
  'api-key': { scheme: 'ApiKey', error: 'invalid_key' },
  mtls: { scheme: 'ClientCertificate', error: 'invalid_certificate' },
};

/**
 * Makes refusals with a challenge for each method (RFC 6750, section 3). They tell of what kind the
 * fault is, and never which part of a credential was wrong: that would help nobody but who forges one.
 */
export function makeRefuse(methods: readonly AuthMethod[]): Refuse {
  return (fault, reason) =>
    new Problem('unauthenticated', details[fault], {
      challenges: methods.map((method) => challengeOf(method, fault)),
      ...(reason !== undefined && { cause: new Error(reason) }),
    });
}

function challengeOf(method: AuthMethod, fault: Fault): string {
  const { scheme, error } = challenges[method];
  const challenge = `${scheme} realm="log-export-gateway"`;
  if (fault === 'malformed') return `${challenge}, error="invalid_request"`;
  return fault === method ? `${challenge}, error="${error}"` : challenge;
}
