import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

import { makeAuthority } from '../auth/certificates.ts';
import { memoryFolder } from '../memory-folder.ts';
import { nodeEnvironment } from '../node-environment.ts';
import { pollOften } from '../service-process.ts';
import { openWorld } from '../world.ts';
import { startCli } from './cli-process.ts';

test('the command of the package prints its version', async () => {
  const { version, bin } = JSON.parse(readFileSync('package.json', 'utf8'));
  const run = startCli(['--version'], {});

  expect(await run.ended).toBe(0);
  expect(run.stdout()).toBe(`${version}\n`);
  expect(bin['log-export']).toBe('src/bin/log-export.ts');
  expect(readFileSync(bin['log-export'], 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
});

test('a private CA is trusted with NODE_EXTRA_CA_CERTS, and refused without', async () => {
  using folder = mkdtempDisposableSync(join(memoryFolder, 'cli-'));
  const authority = makeAuthority('a private CA');
  const ca = join(folder.path, 'ca.pem');
  const token = join(folder.path, 'token');
  writeFileSync(ca, authority.cert);
  writeFileSync(token, 'token-of-the-test\n');
  const authorizations: (string | undefined)[] = [];
  const server = createServer(
    authority.issue({ names: [['ip', '\x7f\0\0\x01']] }),
    ({ headers }, response) => {
      authorizations.push(headers.authorization);
      response.setHeader('content-type', 'application/json').end('{"exportJobs":[]}');
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const env = { LOG_EXPORT_URL: `https://127.0.0.1:${port}`, LOG_EXPORT_TOKEN_FILE: token };

  const refused = startCli(['jobs'], env);
  const trusted = startCli(['jobs'], { ...env, NODE_EXTRA_CA_CERTS: ca });
  const codes = await Promise.all([refused.ended, trusted.ended]);
  server.close();

  expect(codes).toEqual([5, 0]);
  expect(refused.stderr()).toMatch(
    /failed \(\w+\)\. If a private CA has signed the certificate, set NODE_EXTRA_CA_CERTS\.\n$/,
  );
  expect(authorizations).toEqual(['Bearer token-of-the-test']);
});

test('ends on Ctrl-C with code 130, and the job goes on', async () => {
  await using world = await openWorld({ jobs: {} });
  const words = '/app --from 2024-05-01 --to 2024-05-02 --destination archive --wait'.split(' ');
  const run = startCli(['run', ...words], { LOG_EXPORT_URL: world.url });
  await expect.poll(run.stdout, pollOften).toContain(' waiting 0/1');

  run.interrupt();

  expect(await run.ended).toBe(130);
  expect(run.stderr()).toMatch(/Come back with:\n {2}log-export watch [0-9a-f-]{36}\n$/);
  expect((await world.call('GET', '/export-jobs')).body.exportJobs).toMatchObject([
    { state: 'waiting' },
  ]);
});

test('a pipe that is closed early is no error', async () => {
  await using world = await openWorld();
  const child = spawn(
    'bash',
    [
      '--norc',
      '-o',
      'pipefail',
      '-c',
      '"$0" src/bin/log-export.ts problems | true',
      process.execPath,
    ],
    { env: { ...nodeEnvironment(), LOG_EXPORT_URL: world.url } },
  );
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);

  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
