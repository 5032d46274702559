import { configError } from '#problems/config-error.ts';
import { codeOf } from '../unavailable-problem.ts';

/** What to do about a refusal of the server (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const refusals: Record<string, string> = {
  '28000':
    'check the user in it, and pg_hba.conf of the server; "no encryption" asks for ?sslmode=verify-full',
  '28P01': 'check the user and the password in it, or in DATABASE_PASSWORD_FILE',
  '3D000': 'create it, or name another',
  '42501':
    'grant the role what it lacks, or run npm run migrate with a role that may create tables',
};

const untrusted =
  'add sslrootcert=/path/of/ca.pem with the certificate of its CA to the URL; sslmode=require verifies the server, too';

/** What to do about a certificate of the server (https://nodejs.org/api/tls.html#x509-certificate-error-codes). */
const certificates: Record<string, string> = {
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: 'name the host in the URL as its certificate does',
};

// The driver gives this one no code.
const withoutTls = 'The server does not support SSL connections';

/** The mistake in the settings that a failure to connect is; undefined when trying again may help. */
export function settingsError(error: unknown): Error | undefined {
  const failure = ((error as Error).cause ?? error) as Error;
  if (failure.name === 'ConfigError') return failure;
  const { message } = failure;
  const sentence = sentenceOf(codeOf(error) ?? '', message);
  return sentence === undefined ? undefined : configError(`DATABASE_URL names ${sentence}.`, error);
}

function sentenceOf(code: string, message: string): string | undefined {
  const refusal = refusals[code];
  if (refusal) return `a database that refuses the gateway: ${message}; ${refusal}`;
  const certificate = certificates[code];
  if (certificate) return `a server whose certificate is not trusted: ${message}; ${certificate}`;
  if (message !== withoutTls) return undefined;
  return 'a server that has no TLS; switch it on there, or write sslmode=disable';
}
