import { configError } from '#problems/config-error.ts';
import { fileError } from '#validation/settings.ts';
import type { Environment } from '../variables.ts';
import { wireSecretMinLength } from './wire-variables.ts';

/**
 * Reads a secret of AWS clients from its variable, or from the file that the variable with `_FILE` names.
 * The file may end with a newline.
 * @throws an error named ConfigError
 */
export function readWireSecret(
  env: Environment,
  name: 'WIRE_SECRET' | 'WIRE_SECRET_PREVIOUS',
  readFile: (path: string) => string,
): string | undefined {
  const path = env[`${name}_FILE`];
  if (path === undefined) return env[name];
  if (env[name] !== undefined) {
    throw configError(`${name} is set, but ${name}_FILE is set, too; remove one of them.`);
  }
  const variable = { name: `${name}_FILE`, path };
  let secret: string;
  try {
    secret = readFile(path).replace(/\r?\n$/, '');
  } catch (cause) {
    const { message } = cause as Error;
    throw fileError(variable, `it must be the path of a readable file (${message}).`);
  }
  if (secret.length >= wireSecretMinLength) return secret;
  throw fileError(variable, `it must contain at least ${wireSecretMinLength} characters.`);
}
