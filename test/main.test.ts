import { openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { expect, test } from 'vitest';

import { awsAt, pollOften, readyUrl, startService } from './service-process.ts';

test.each([
  ['PORT', { PORT: 'eighty' }, '"eighty", but must be a port number from 0 to 65535'],
  ['AWS_REGION', { AWS_REGION: '' }, 'not set; set it to an AWS Region such as eu-west-1'],
  ['EXPORT_JOBS', { EXPORT_JOBS: 'yes' }, '"yes", but must be on or off'],
  ['HOST', { HOST: '0.0.0.0' }, 'which other machines can reach, but AUTH is not set'],
  [
    'API_KEYS_FILE',
    { AUTH: 'api-key', API_KEYS_FILE: '/nonexistent' },
    'must be the path of a readable file',
  ],
  ['TARGETS_FILE', { TARGETS_FILE: '/nonexistent' }, 'must be the path of a readable JSON file'],
  ['TARGETS_FILE', { TARGETS_FILE: '/dev/null' }, 'it is not a regular file'],
])('an invalid %s ends the process with a one-line message', async (name, env, rest) => {
  const run = startService({ AWS_REGION: 'eu-west-1', ...env });

  expect(await run.ended).toBe(1);
  expect(run.stderr()).toMatch(new RegExp(`^${name} is .*\\.\\n$`));
  expect(run.stderr()).toContain(rest);
  expect(run.stdout()).toBe('');
});

test('on SIGTERM, is not ready at once, still serves requests, and exits within ten seconds', async () => {
  await using emulator = await openEmulator();
  const run = startService(awsAt(emulator));
  const { lines } = run;
  const url = await readyUrl(run);
  const ask = (path: string) => fetch(url + path);
  expect((await ask('/health/ready')).status).toBe(200);

  run.child.kill('SIGTERM');
  await expect.poll(async () => (await ask('/health/ready')).status, pollOften).toBe(503);
  const meanwhile = await ask('/targets');
  const code = await run.ended;

  expect(meanwhile.status).toBe(200);
  expect(meanwhile.headers.get('connection')).toBe('close');
  expect(code).toBe(0); // after 9.5 s it would exit with 1
  expect(lines().at(-1)).toMatchObject({ msg: 'stopped' });
  expect(lines()).toContainEqual(
    expect.objectContaining({
      level: 'warn',
      url: expect.stringContaining(emulator.url),
      msg: 'the CloudWatch Logs endpoint is overridden; exports do not run at AWS',
    }),
  );
  expect(run.stdout() + run.stderr()).not.toContain('secret-of-the-test');
});
