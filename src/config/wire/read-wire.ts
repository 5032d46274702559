import { configError } from '#problems/config-error.ts';
import type { Environment } from '../variables.ts';
import { readWireSecret } from './read-wire-secret.ts';

/** How AWS clients are served. */
export interface WireConfig {
  /** The secrets that keys are derived from: the current one first. Empty without API keys. */
  secrets: readonly string[];
}

/** Reads how AWS clients are served; undefined if they are not. @throws an error named ConfigError */
export function readWire(
  env: Environment,
  readFile: (path: string) => string,
): WireConfig | undefined {
  const { WIRE, EXPORT_JOBS, AUTH = 'none' } = env;
  if (WIRE === 'off') return undefined;
  if (EXPORT_JOBS === 'off') {
    throw configError(
      'WIRE is on, but EXPORT_JOBS is off; set EXPORT_JOBS=on, because tasks of AWS clients wait in the queue.',
    );
  }
  const methods = AUTH.split(',');
  if (methods.every((method) => method === 'mtls')) {
    throw configError(
      'WIRE is on, but AUTH contains only mtls; add api-key or jwt, because AWS clients sign their requests.',
    );
  }
  const secret = readWireSecret(env, 'WIRE_SECRET', readFile);
  if (secret === undefined && methods.includes('api-key')) {
    throw configError(
      'WIRE is on and AUTH contains api-key, but WIRE_SECRET is not set; set it to at least 32 random characters, or WIRE_SECRET_FILE to the path of a file with them.',
    );
  }
  const previous = readWireSecret(env, 'WIRE_SECRET_PREVIOUS', readFile);
  return { secrets: [secret, previous].filter((each) => each !== undefined) };
}
