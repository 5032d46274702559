import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';

import { openEmulator } from '#emulator/emulator.ts';
import { temporaryDir } from './database/homes.ts';

interface Run {
  child: ChildProcess;
  /** What it has written so far. */
  stdout: () => string;
  stderr: () => string;
  /** Resolves to its exit code. */
  ended: Promise<number | null>;
}

/** Starts the service as "npm start" does, with these variables and none of this machine's. */
function start(env: Record<string, string>): Run {
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { PATH: process.env.PATH ?? '', PORT: '0', DATA_DIR: temporaryDir(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

const pollOften = { interval: 20 };

test.each([
  ['PORT', { PORT: 'eighty' }, '"eighty", but must be a port number from 0 to 65535'],
  ['AWS_REGION', { AWS_REGION: '' }, 'not set; it must be an AWS Region such as eu-west-1'],
  ['EXPORT_JOBS', { EXPORT_JOBS: 'yes' }, '"yes", but must be on or off'],
  ['HOST', { HOST: '0.0.0.0' }, 'which other machines can reach, but AUTH is not set'],
  [
    'API_KEYS_FILE',
    { AUTH: 'api-key', API_KEYS_FILE: '/nonexistent' },
    'must be the path of a readable file',
  ],
  ['TARGETS_FILE', { TARGETS_FILE: '/nonexistent' }, 'must be the path of a readable JSON file'],
])('a wrong %s ends the process in one sentence', async (name, env, rest) => {
  const run = start({ AWS_REGION: 'eu-west-1', ...env });

  expect(await run.ended).toBe(1);
  expect(run.stderr()).toMatch(new RegExp(`^${name} is .*\\.\\n$`));
  expect(run.stderr()).toContain(rest);
  expect(run.stdout()).toBe('');
});

test('SIGTERM: not ready at once, serving meanwhile, gone within ten seconds', async () => {
  await using emulator = await openEmulator();
  const run = start({
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL: emulator.url,
    AWS_ACCESS_KEY_ID: 'AKIDTEST',
    AWS_SECRET_ACCESS_KEY: 'secret-of-the-test',
  });
  const lines = () =>
    run
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  await expect.poll(() => run.stdout(), pollOften).toContain('"msg":"ready"');
  const { url } = lines().find(({ msg }) => msg === 'listening');
  const ask = (path: string) => fetch(url + path);
  expect((await ask('/health/ready')).status).toBe(200);

  run.child.kill('SIGTERM');
  await expect.poll(async () => (await ask('/health/ready')).status, pollOften).toBe(503);
  const meanwhile = await ask('/export-tasks');
  const code = await run.ended;

  expect(meanwhile.status).toBe(200);
  expect(meanwhile.headers.get('connection')).toBe('close');
  expect(code).toBe(0); // after 9.5 s it would have ended itself with 1
  expect(lines().at(-1)).toMatchObject({ msg: 'stopped' });
  expect(lines()).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      url: expect.stringContaining(emulator.url),
      msg: 'AWS_ENDPOINT_URL redirects AWS: calls do NOT go to AWS',
    }),
  );
  expect(run.stdout() + run.stderr()).not.toContain('secret-of-the-test');
});
