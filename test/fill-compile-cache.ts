import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { nodeEnvironment } from './node-environment.ts';

// What the processes of tests load, also later than at their start.
const modules = [
  'src/bin/main.ts',
  'src/bin/serve.ts',
  'src/database/sqlite/dialect.ts',
  'src/database/postgres/dialect.ts',
  'emulator/src/emulator.ts',
  'test/idle-loop.ts',
  'test/own-time.ts',
];

/**
 * Fills the compile cache of Node while PostgreSQL starts. A process writes what it has compiled when it
 * exits, and most processes of tests are killed.
 */
export default function fillCompileCache(): () => Promise<void> {
  const imports = modules.map((module) => `await import('./${module}');`).join('');
  const child = spawn(process.execPath, ['--input-type=module', '--eval', imports], {
    env: nodeEnvironment(),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  return async () => void (await ended);
}
