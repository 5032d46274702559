import { readApiKeys } from '#auth/authentication/api-keys.ts';
import { makeWireKey, type WireKey } from '#auth/authentication/signature/wire-key.ts';
import { configError } from '#problems/config-error.ts';
import { fileError } from '#validation/settings.ts';
import { readEnvironment } from '../read-config.ts';
import { readWireSecret } from './read-wire-secret.ts';

/**
 * Makes the key pair of the API key with this name, from WIRE_SECRET or WIRE_SECRET_FILE, and API_KEYS_FILE.
 * @throws an error named ConfigError
 */
export function readWireKey(
  env: NodeJS.ProcessEnv,
  name: string,
  readFile: (path: string) => string,
): WireKey {
  const variables = readEnvironment(env);
  const { API_KEYS_FILE: path } = variables;
  const secret = readWireSecret(variables, 'WIRE_SECRET', readFile);
  if (path === undefined || secret === undefined) {
    const missing = [
      ...(path === undefined ? ['API_KEYS_FILE'] : []),
      ...(secret === undefined ? ['WIRE_SECRET'] : []),
    ];
    throw configError(
      `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not set; wire-key needs both, with the values that the gateway has.`,
    );
  }
  const variable = { name: 'API_KEYS_FILE', path };
  const keys = readApiKeys(variable, readFile);
  const key = keys.find(({ principal }) => principal.subject === name);
  if (!key) throw fileError(variable, `no entry has the name ${JSON.stringify(name)}.`);
  if (key.wire === undefined) {
    throw fileError(
      variable,
      `the entry ${JSON.stringify(name)} has no "wire"; add "wire": 1 to let its caller sign requests.`,
    );
  }
  return makeWireKey(secret, name, key.wire);
}

/** Writes a key pair as a profile of the credentials file of AWS clients. */
export function toAwsProfile({ accessKeyId, secretAccessKey }: WireKey): string {
  return [
    `[${accessKeyId}]`,
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
  ].join('\n');
}
