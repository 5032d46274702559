import { describe, expect, test } from 'vitest';

import { makeLogger } from '#telemetry/logger.ts';
import { readConfig } from '../src/config.ts';
import { openGateway } from '../src/gateway.ts';
import { openWorld, region } from './world.ts';

/** Opens the gateway as main does, against the emulator of a world, on a free port. */
async function openAsMain(env: NodeJS.ProcessEnv) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const gateway = await openGateway({
    config: readConfig({ AWS_REGION: region, PORT: '0', ...env }, () => ''),
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
