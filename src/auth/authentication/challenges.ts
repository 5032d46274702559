import { Problem } from '#problems/problem.ts';
import type { AuthMethod } from './settings.ts';

/** The fault: no credential, not exactly one well-formed credential, or a credential of a kind that was refused. */
type Fault = 'missing' | 'malformed' | AuthMethod;

/** Makes the answer to a caller that is not authenticated. `reason` appears only in the log. */
export type Refuse = (fault: Fault, reason?: string) => Problem;

const details: Record<Fault, string> = {
  missing: 'The request has no credentials.',
  malformed:
    'The request must have exactly one credential, of an accepted kind and in the right form.',
  jwt: 'This service does not accept the token.',
  'api-key': 'This service does not accept the API key.',
  mtls: 'This service does not accept the client certificate.',
};

// HTTP has no scheme for certificates, but a 401 needs a challenge; this one names the method.
const challenges: Record<AuthMethod, { scheme: string; error: string }> = {
  jwt: { scheme: 'Bearer', error: 'invalid_token' },
  'api-key': { scheme: 'ApiKey', error: 'invalid_key' },
  mtls: { scheme: 'ClientCertificate', error: 'invalid_certificate' },
};

/**
 * Makes refusals with a challenge for each method (RFC 6750, section 3). They name the kind of fault, but
 * never the part of a credential that was wrong: that would only help an attacker.
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
