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
import { url } from './variables/rules.ts';
import type { Environment } from './variables.ts';

/** How callers authenticate, and where the policies are. */
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
 * Reads how callers authenticate. Without AUTH, only this machine can call the service.
 * @throws an error named ConfigError
 */
export function readAccess(env: Environment, readFile: (path: string) => string): AccessConfig {
  const { AUTH, HOST, API_KEYS_FILE, POLICY_DIR } = env;
  if (AUTH === undefined && !isLoopback(HOST)) {
    throw configError(
      `HOST is ${JSON.stringify(HOST)}, which other machines can reach, but AUTH is not set; set it to jwt, api-key or mtls (several separated by commas), or to none if callers need no credentials.`,
    );
  }
  const isOpen = AUTH === undefined || AUTH === 'none';
  const methods = isOpen ? [] : [...new Set(AUTH.split(',') as AuthMethod[])];
  refuseUnused(env, methods);
  const tls = readTls(env, methods);
  if (methods.includes('api-key') && API_KEYS_FILE === undefined) {
    throw configError(
      'AUTH contains api-key, but API_KEYS_FILE is not set; set it to the path of a JSON file.',
    );
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

const variablesOf = {
  jwt: ['JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_ISSUERS_FILE'],
  'api-key': ['API_KEYS_FILE'],
  mtls: ['TLS_CLIENT_CA_FILE'],
} as const satisfies Record<AuthMethod, readonly (keyof Environment)[]>;

/** Refuses a variable of a method that AUTH does not have: who sets it expects that callers authenticate so. */
function refuseUnused(env: Environment, methods: readonly AuthMethod[]): void {
  for (const [method, names] of Object.entries(variablesOf)) {
    const unused = names.find((name) => env[name] !== undefined);
    if (unused === undefined || methods.includes(method as AuthMethod)) continue;
    throw configError(
      `${unused} is set, but AUTH does not contain ${method}; add ${method} to AUTH, or remove ${unused}.`,
    );
  }
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function readTls(env: Environment, methods: readonly AuthMethod[]): TlsSettings | undefined {
  const { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, TLS_CLIENT_CA_FILE: clientCaFile } = env;
  const isMutual = methods.includes('mtls');
  if (isMutual && !(certFile && keyFile && clientCaFile)) {
    throw configError(
      'AUTH contains mtls, but TLS_CERT_FILE, TLS_KEY_FILE or TLS_CLIENT_CA_FILE is not set; set all three.',
    );
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw configError('Only one of TLS_CERT_FILE and TLS_KEY_FILE is set; set both, or neither.');
  }
  if (certFile === undefined || keyFile === undefined) return undefined;
  return { certFile, keyFile, ...(isMutual && clientCaFile && { clientCaFile }) };
}

function readIssuers(env: Environment, readFile: (path: string) => string): IssuerSettings[] {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWT_ISSUERS_FILE: path } = env;
  if (path !== undefined) {
    if (issuer !== undefined || audience !== undefined) {
      throw configError(
        'JWT_ISSUERS_FILE is set, but JWT_ISSUER or JWT_AUDIENCE is set, too; remove them, the file replaces them.',
      );
    }
    return readIssuersFile({ name: 'JWT_ISSUERS_FILE', path }, readFile);
  }
  if (issuer === undefined || audience === undefined) {
    throw configError(
      'AUTH contains jwt, but no issuer is configured; set JWT_ISSUER and JWT_AUDIENCE, or JWT_ISSUERS_FILE.',
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
  const duplicate = names.find((name, index) => names.indexOf(name) !== index);
  if (duplicate === undefined) return issuers;
  throw fileError(
    variable,
    `the issuer ${JSON.stringify(duplicate)} occurs twice; list each issuer once.`,
  );
}
