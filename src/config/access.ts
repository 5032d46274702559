import { isIP } from 'node:net';
import { Type } from '@sinclair/typebox';

import type {
  AuthenticationSettings,
  AuthMethod,
  IssuerSettings,
  TlsSettings,
} from '#auth/authentication/settings.ts';
import { configError } from '#problems/config-error.ts';
import { type FileVariable, fileError, readSettingsFile } from '#validation/settings.ts';
import { type Environment, url } from './environment.ts';

/** Who may come in, and where it is written who may do what. */
export interface AccessConfig {
  authentication: AuthenticationSettings;
  tls: TlsSettings | undefined;
  policyDir: string | undefined;
}

const claimName = Type.String({ minLength: 1, 'x-rule': 'the name of a claim' });
const IssuersFile = Type.Array(
  Type.Object(
    {
      issuer: { ...url, 'x-rule': 'a URL such as https://issuer.example.com/realm' },
      audiences: Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        'x-rule': 'an array of at least one audience',
      }),
      audienceClaim: Type.Optional(claimName),
      groupsClaim: Type.Optional(claimName),
      jwksUri: Type.Optional({ ...url, 'x-rule': 'a URL' }),
      bearerTokenFile: Type.Optional(
        Type.String({ minLength: 1, 'x-rule': 'the path of a readable file' }),
      ),
    },
    {
      additionalProperties: false,
      'x-rule':
        'an object with issuer and audiences, and if needed audienceClaim, groupsClaim, jwksUri, bearerTokenFile',
    },
  ),
  { minItems: 1, 'x-rule': 'an array of at least one issuer' },
);

/**
 * Reads who may come in. A service that others can reach never is open by accident.
 * @throws an error named ConfigError
 */
export function readAccess(env: Environment, readFile: (path: string) => string): AccessConfig {
  const { AUTH, HOST, API_KEYS_FILE, POLICY_DIR } = env;
  if (AUTH === undefined && !isLoopback(HOST)) {
    throw configError(
      `HOST is ${JSON.stringify(HOST)}, which other machines can reach, but AUTH is not set; it must say how callers are told apart: jwt, api-key, mtls, several of them with commas between, or none if whoever reaches the port may do everything.`,
    );
  }
  const isOpen = AUTH === undefined || AUTH === 'none';
  const methods = isOpen ? [] : [...new Set(AUTH.split(',') as AuthMethod[])];
  const tls = readTls(env, methods);
  if (methods.includes('api-key') && API_KEYS_FILE === undefined) {
    throw configError('AUTH has api-key, but API_KEYS_FILE is not set; it must name a JSON file.');
  }
  return {
    authentication: {
      methods,
      issuers: methods.includes('jwt') ? readIssuers(env, readFile) : [],
      ...(API_KEYS_FILE !== undefined && { apiKeysFile: API_KEYS_FILE }),
    },
    tls,
    policyDir: POLICY_DIR,
  };
}

/** Whether an address to listen on can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function readTls(env: Environment, methods: readonly AuthMethod[]): TlsSettings | undefined {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, TLS_CLIENT_CA_FILE: clientCaFile } = env;
  const isMutual = methods.includes('mtls');
  if (isMutual && !(certFile && keyFile && clientCaFile)) {
    throw configError(
      'AUTH has mtls, so TLS must end here: TLS_CERT_FILE, TLS_KEY_FILE and TLS_CLIENT_CA_FILE must be set.',
    );
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw configError('TLS_CERT_FILE and TLS_KEY_FILE must be set both, or neither.');
  }
  if (certFile === undefined || keyFile === undefined) return undefined;
  return { certFile, keyFile, ...(isMutual && clientCaFile && { clientCaFile }) };
}

function readIssuers(env: Environment, readFile: (path: string) => string): IssuerSettings[] {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_ISSUERS_FILE: path } = env;
  if (path !== undefined) {
    if (issuer !== undefined || audience !== undefined) {
      throw configError(
        'JWT_ISSUERS_FILE is set, so JWT_ISSUER and JWT_AUDIENCE must not be; the file has them.',
      );
    }
    return readIssuersFile({ name: 'JWT_ISSUERS_FILE', path }, readFile);
  }
  if (issuer === undefined || audience === undefined) {
    throw configError(
      'AUTH has jwt, so JWT_ISSUER and JWT_AUDIENCE must be set, or JWT_ISSUERS_FILE.',
    );
  }
  return [{ issuer, audiences: [audience] }];
}

function readIssuersFile(
  variable: FileVariable,
  readFile: (path: string) => string,
): IssuerSettings[] {
  const issuers = readSettingsFile(variable, IssuersFile, readFile);
  const names = issuers.map(({ issuer }) => issuer);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return issuers;
  throw fileError(variable, `the issuer ${JSON.stringify(twice)} is there twice.`);
}
