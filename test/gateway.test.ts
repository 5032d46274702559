import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { makeLogger } from '#telemetry/logger.ts';
import { readConfig } from '../src/config.ts';
import { openGateway } from '../src/gateway.ts';
import { temporaryDir } from './database/homes.ts';
import { wish } from './export-jobs/homes.ts';
import { createDatabase, openPostgres } from './postgres.ts';
import { openWorld, region } from './world.ts';

/** Opens the gateway as main does, against the emulator of a world, on a free port. */
async function openAsMain(env: NodeJS.ProcessEnv) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const gateway = await openGateway({
    config: readConfig(
      { AWS_REGION: region, PORT: '0', DATA_DIR: temporaryDir(), ...env },
      () => '',
    ),
    log: makeLogger('info', destination),
    lameDuckMs: 0,
  });
  return { gateway, lines };
}

describe('the gateway', () => {
  test('listens, becomes ready, warns that AWS is redirected, and closes', async () => {
    await using world = await openWorld();

    const { gateway, lines } = await openAsMain({});
    await gateway.ready;
    const ready = await fetch(`${gateway.url}/health/ready`);
    await gateway.close();

    expect(ready.status).toBe(200);
    expect(lines.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ level: 'warn', region, url: world.emulator.url }),
    );
    await expect(fetch(`${gateway.url}/health/live`)).rejects.toThrow('fetch failed');
  });

  test('does not warn when calls go to AWS', async () => {
    await using _world = await openWorld();
    delete process.env.AWS_ENDPOINT_URL;
    const roleArn = 'arn:aws:iam::123456789012:role/log-export';
    process.env.AWS_ENDPOINT_URL_STS = 'http://127.0.0.1:1';

    const { gateway, lines } = await openAsMain({ SERVICE_ROLE_ARN: roleArn });
    await gateway.close();

    expect(lines.join('')).not.toContain('redirects AWS');
  });

  test('ends the start with a sentence when an endpoint cannot be used', async () => {
    await using _world = await openWorld();
    process.env.AWS_ENDPOINT_URL_CLOUDWATCH_LOGS = 'notaurl';

    await expect(openAsMain({})).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/^There is no usable endpoint .* for eu-west-1 \(/),
    });
  });

  test('says at once that a port is taken', async () => {
    await using world = await openWorld();

    await expect(openAsMain({ PORT: String(world.port) })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});

describe('export jobs', () => {
  test('are kept in DATA_DIR, or not at all when they are off', async () => {
    await using _world = await openWorld();
    const [on, off] = [temporaryDir(), temporaryDir()];

    const opened = await openAsMain({ DATA_DIR: on });
    await opened.gateway.ready;
    const without = await openAsMain({ DATA_DIR: off, EXPORT_JOBS: 'off' });
    await without.gateway.ready;
    const made = [readdirSync(on), readdirSync(off)];
    await opened.gateway.close();
    await without.gateway.close();

    expect(made[0]).toContain('export-jobs.sqlite');
    expect(made[1]).toEqual([]);
  });

  test('wait only as many of one caller as WAITING_SLICES_PER_CALLER says', async () => {
    await using _world = await openWorld();
    const { gateway } = await openAsMain({ WAITING_SLICES_PER_CALLER: '2' });
    await gateway.ready;

    const answer = await fetch(`${gateway.url}/export-jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(wish), // of three slices
    });
    await gateway.close();

    expect(answer.status).toBe(429);
  });

  test('while their PostgreSQL is away the gateway serves, is not ready and says why', async () => {
    await using _world = await openWorld();
    await using postgres = await openPostgres();
    const DATABASE_URL = await createDatabase(postgres.url);
    await postgres.stop('fast');

    const { gateway, lines } = await openAsMain({ DATABASE_URL });
    const ask = async (path: string) => {
      const answer = await fetch(gateway.url + path);
      return { status: answer.status, body: (await answer.json()) as { detail?: string } };
    };
    await expect
      .poll(async () => (await ask('/health/ready')).body.detail)
      .toBe('The database cannot be reached.');
    const meanwhile = await ask('/export-tasks');
    await postgres.start();
    await gateway.ready;
    const ready = await ask('/health/ready');
    await gateway.close();

    expect([meanwhile.status, ready.status]).toEqual([200, 200]);
    expect(lines.join('')).toContain('the database cannot be reached');
    expect(lines.join('')).not.toContain(new URL(DATABASE_URL).password);
  });

  test('a PostgreSQL that refuses the gateway ends the start', async () => {
    await using _world = await openWorld();
    await using postgres = await openPostgres();
    const DATABASE_URL = Object.assign(new URL(postgres.url), { password: 'wr0ng' }).href;

    const { gateway, lines } = await openAsMain({ DATABASE_URL });

    await expect(gateway.ready).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/^DATABASE_URL .* password authentication failed/),
    });
    await gateway.close();
    expect(lines.join('')).not.toContain('wr0ng');
  });
});
