import { configError } from '#problems/config-error.ts';
import { codeOf } from '../unavailable-problem.ts';

/** The remedy for each refusal of the server (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const refusals: Record<string, string> = {
  '28000':
    'check its user, and pg_hba.conf of the server; if the message says "no encryption", add ?sslmode=verify-full',
  '28P01': 'check its user and its password, or DATABASE_PASSWORD_FILE',
  '3D000': 'create the database, or name another one',
  '42501':
    'grant the missing privilege to the role, or run npm run migrate with a role that may create tables',
};

const untrusted =
  'add sslrootcert=/path/of/ca.pem with its CA certificate to the URL; sslmode=require verifies the server, too';

/** The remedy for each certificate error (https://nodejs.org/api/tls.html#x509-certificate-error-codes). */
const certificates: Record<string, string> = {
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: 'use the host name of the certificate in the URL',
};

// This error of the driver has no code.
const withoutTls = 'The server does not support SSL connections';

/** Turns a failure to connect into a settings error; undefined if a retry may help. */
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
  return 'a server without TLS; enable TLS on the server, or use sslmode=disable';
}
