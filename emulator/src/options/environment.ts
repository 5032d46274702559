import { configError } from './config-error.ts';
import type { EmulatorOptions } from './options.ts';
import { maxPort } from './rules.ts';

/**
 * Reads options from the variables `HOST`, `EMULATOR_PORT` and `EMULATOR_OPTIONS`. An empty variable
 * counts as not set. `openEmulator` checks the members of `EMULATOR_OPTIONS`.
 * @throws an error named ConfigError
 */
export function readEmulatorOptions(env: NodeJS.ProcessEnv): EmulatorOptions {
  return {
    host: env.HOST || '127.0.0.1',
    port: readPort(env.EMULATOR_PORT || '4566'),
    ...readObject(env.EMULATOR_OPTIONS || '{}'),
  };
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= maxPort) return port;
  throw configError(
    `EMULATOR_PORT is ${JSON.stringify(text)}, but must be a port number from 0 to ${maxPort} (0 takes any free one).`,
  );
}

function readObject(text: string): object {
  try {
    const options: unknown = JSON.parse(text);
    if (typeof options === 'object' && options !== null && !Array.isArray(options)) return options;
  } catch {}
  throw configError(
    `EMULATOR_OPTIONS is ${JSON.stringify(text)}, but must be a JSON object such as {"pendingMs":5000}.`,
  );
}
