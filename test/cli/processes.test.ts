import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';

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
  expect(run.stderr()).toMatch(
    /Come back with:\n {2}\S+ src\/bin\/log-export\.ts watch [0-9a-f-]{36}\n$/,
  );
  expect((await world.call('GET', '/export-jobs')).body.exportJobs).toMatchObject([
    { state: 'waiting' },
  ]);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  'verify ends at once on %s, with code 130',
  async (signal) => {
    const asked = Promise.withResolvers<void>();
    const silent = createHttpServer(() => asked.resolve()).listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close().closeAllConnections());
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const run = startCli(['verify', 's3://archive/_manifest-1.json'], {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: 'of the test',
      AWS_SECRET_ACCESS_KEY: 'of the test',
    });
    await asked.promise;

    run.interrupt(signal);

    expect(await run.ended).toBe(130);
  },
);

describe('a pipe that is closed early', () => {
  test('causes no error message', async () => {
    await using world = await openWorld();

    expect(await runInShell('"$@" problems | true', world.url)).toEqual({ code: 0, stderr: '' });
  });

  test('keeps the exit code of a command that has ended', async () => {
    await using world = await openWorld({ jobs: {} });
    const words = 'coverage /app --from 2024-05-01 --to 2024-05-02 --json';

    expect(await runInShell(`"$@" ${words} | true`, world.url)).toMatchObject({ code: 1 });
  });

  test('ends the wait for a job as Ctrl-C does', async () => {
    await using world = await openWorld({ jobs: {} });
    const words = 'run /app --from 2024-05-01 --to 2024-05-02 --destination archive --wait';
    const { code, stderr } = await runInShell(`"$@" ${words} | head -1 >/dev/null`, world.url);

    expect(code).toBe(130);
    expect(stderr).toMatch(
      /Come back with:\n {2}\S+ src\/bin\/log-export\.ts watch [0-9a-f-]{36}\n$/,
    );
  });

  test('changes nothing if it is that of the notes', async () => {
    await using world = await openWorld({ jobs: {} });
    const words = 'run /app --from 2024-05-01 --to 2024-05-02 --destination archive';
    const script = `"$@" ${words} 2>&1 >/dev/null | true`;

    expect(await runInShell(script, world.url)).toEqual({ code: 0, stderr: '' });
    expect((await world.call('GET', '/export-jobs')).body.exportJobs).toHaveLength(1);
  });
});

describe('results that cannot be written', () => {
  test('end the command with code 6', async () => {
    await using world = await openWorld({ jobs: {} });

    expect(await runInShell('"$@" problems >/dev/full', world.url)).toEqual({
      code: 6,
      stderr: 'log-export: The results cannot be written (ENOSPC).\n',
    });
  });

  test('end the wait for a job, and the command says how to come back', async () => {
    await using world = await openWorld({ jobs: {} });
    const words = 'run /app --from 2024-05-01 --to 2024-05-02 --destination archive --wait';

    const { code, stderr } = await runInShell(`"$@" ${words} >/dev/full`, world.url);

    expect(code).toBe(6);
    expect(stderr).toMatch(
      /: The results cannot be written \(ENOSPC\)\.\nlog-export: The job goes on\. Come back with:\n {2}\S+ src\/bin\/log-export\.ts watch [0-9a-f-]{36}\n$/,
    );
    expect((await world.call('GET', '/export-jobs')).body.exportJobs).toHaveLength(1);
  });

  test('have the id of the job in a note, if it is only in the document', async () => {
    await using world = await openWorld({ jobs: {} });
    const words = 'run /app --from 2024-05-01 --to 2024-05-02 --destination archive --json';

    const { code, stderr } = await runInShell(`"$@" ${words} >/dev/full`, world.url);

    const [job] = (await world.call('GET', '/export-jobs')).body.exportJobs;
    expect(code).toBe(6);
    expect(stderr).toContain(` src/bin/log-export.ts watch ${job.id}\n`);
  });

  test('end the tool that checks manifests with code 2', async () => {
    expect(await runInShell('"$1" src/bin/verify.ts --help >/dev/full', '')).toEqual({
      code: 2,
      stderr: 'The result cannot be written (ENOSPC).\n',
    });
  });
});

test('a pipe that is closed early keeps the exit code of the tool that checks manifests', async () => {
  const outcome = await runInShell('"$1" src/bin/verify.ts --help | true', '');

  expect(outcome).toEqual({ code: 0, stderr: '' });
});

/** Runs a script of bash that has the command line as its arguments. A pipe fails with the last code that is not 0. */
async function runInShell(script: string, url: string) {
  const command = [process.execPath, 'src/bin/log-export.ts'];
  const child = spawn('bash', ['--norc', '-o', 'pipefail', '-c', script, 'bash', ...command], {
    env: { ...nodeEnvironment(), LOG_EXPORT_URL: url },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { code, stderr };
}
