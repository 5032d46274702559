import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '#config/read-config.ts';
import { openGateway } from '#open-gateway.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { openIssuer } from '../auth/issuer.ts';
import { temporaryDir } from '../database/homes.ts';
import { readIdleLoop } from '../read-idle-loop.ts';
import { openWorld, pointSdkAt, region } from '../world.ts';
import { openForwardProxy, openTlsFront } from './proxy.ts';

readIdleLoop();

const portOf = (url: string) => Number(new URL(url).port);

test('becomes ready and authenticates callers through a forward proxy', async () => {
  await using world = await openWorld();
  await using issuer = await openIssuer();
  await using aws = await openTlsFront([`*.${region}.amazonaws.com`], portOf(world.emulator.url));
  await using issuers = await openTlsFront(['issuer.example.com'], portOf(issuer.url));
  await using proxy = await openForwardProxy({
    'amazonaws.com': aws.port,
    'issuer.example.com': issuers.port,
    'plain.example.com': portOf(issuer.url),
  });
  pointSdkAt('');
  const folder = temporaryDir();
  const file = join(folder, 'issuers.json');
  const audiences = ['log-export-gateway'];
  const issuersFile = [
    { issuer: issuer.url, audiences, jwksUri: 'https://issuer.example.com/keys' },
    { issuer: 'http://plain.example.com', audiences, jwksUri: 'http://plain.example.com/keys' },
  ];
  writeFileSync(file, JSON.stringify(issuersFile));
  const lines: string[] = [];

  const gateway = await openGateway({
    config: readConfig(
      {
        AWS_REGION: region,
        PORT: '0',
        EXPORT_JOBS: 'off',
        AUDIT_LOG: join(folder, 'audit.jsonl'),
        AUTH: 'jwt',
        JWT_ISSUERS_FILE: file,
        https_proxy: proxy.url,
        HTTP_PROXY: proxy.url,
        NO_PROXY: '.internal.example.com',
      },
      () => JSON.stringify(issuersFile),
    ),
    log: makeLogger('info', { write: (line: string) => void lines.push(line) }),
    lameDuckMs: 0,
  });
  await gateway.ready;
  const answer = await fetch(`${gateway.url}/targets`, {
    headers: { authorization: `Bearer ${issuer.token()}` },
  });
  await expect.poll(() => proxy.requests).toHaveLength(1);
  await gateway.close();

  expect(answer.status).toBe(200);
  expect(new Set(proxy.connects.map(({ target }) => target))).toEqual(
    new Set([`sts.${region}.amazonaws.com:443`, 'issuer.example.com:443']),
  );
  expect(proxy.requests).toEqual(['http://plain.example.com/keys']);
  const { origin } = new URL(proxy.url);
  expect(lines.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({
      httpsProxy: origin,
      httpProxy: origin,
      noProxy: expect.stringMatching(/^localhost,.*,\.internal\.example\.com$/),
    }),
  );
  expect(lines.join('')).not.toContain('s3cret');
});
