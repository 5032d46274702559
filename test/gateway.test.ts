import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '#config/read-config.ts';
import { openGateway } from '#open-gateway.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { openIssuer } from './auth/issuer.ts';
import { makePolicyFolder } from './auth/policy-folder.ts';
import { makeCaller, makeServerIdentity } from './auth/tls-client.ts';
import { temporaryDir } from './database/homes.ts';
import { jobBody } from './export-jobs/accepted-jobs.ts';
import { createDatabase, openPostgres } from './postgres.ts';
import { postgresUrl } from './postgres-databases.ts';
import { readIdleLoop } from './read-idle-loop.ts';
import { createBody, openWorld, region } from './world.ts';

/** Opens the gateway like main, with the emulator of a world, on a free port. */
async function openAsMain(env: NodeJS.ProcessEnv) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const gateway = await openGateway({
    config: readConfig(
      {
        AWS_REGION: region,
        PORT: '0',
        DATA_DIR: temporaryDir(),
        AUDIT_LOG: join(temporaryDir(), 'audit.jsonl'),
        ...env,
      },
      () => '',
    ),
    log: makeLogger('info', destination),
    lameDuckMs: 0,
  });
  return { gateway, lines };
}

test('accepts the first creates after a start that kept the event loop busy', async () => {
  await using world = await openWorld({ emulator: { pendingMs: 0, runningMs: 0 } });
  world.emulator.faults.add({ operation: 'GetCallerIdentity', kind: 'delay', ms: 1_500 });
  const { gateway } = await openAsMain({});
  let isReady = false;
  void gateway.ready.then(() => {
    isReady = true;
  });
  const beganAt = performance.now();
  while (!isReady || performance.now() - beganAt < 1_200) {
    const until = performance.now() + 150;
    while (performance.now() < until);
    await new Promise(setImmediate);
  }

  const { status } = await fetch(`${gateway.url}/export-tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(createBody),
  });
  await gateway.close();

  expect(status).toBe(201);
});

describe('the gateway', () => {
  readIdleLoop();

  test('listens, becomes ready, warns that the endpoint is overridden, and closes', async () => {
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

  test('does not warn when exports run at AWS', async () => {
    await using _world = await openWorld();
    delete process.env.AWS_ENDPOINT_URL;
    const roleArn = 'arn:aws:iam::123456789012:role/log-export';
    process.env.AWS_ENDPOINT_URL_STS = 'http://127.0.0.1:1';

    const { gateway, lines } = await openAsMain({ SERVICE_ROLE_ARN: roleArn });
    await gateway.close();

    expect(lines.join('')).not.toContain('the CloudWatch Logs endpoint is overridden');
  });

  test('rejects an unusable endpoint', async () => {
    await using _world = await openWorld();
    process.env.AWS_ENDPOINT_URL_CLOUDWATCH_LOGS = 'notaurl';

    await expect(openAsMain({})).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(
        /^The endpoint of CloudWatch Logs for eu-west-1 is not usable \(/,
      ),
    });
  });

  test('enforces the policies of POLICY_DIR', async () => {
    await using world = await openWorld();
    using folder = makePolicyFolder({
      'a.cedar': `permit(principal == Caller::"anonymous", action, resource is LogGroup)
        when { resource.name == "/app" };`,
    });
    const { gateway } = await openAsMain({ POLICY_DIR: folder.path });
    await gateway.ready;
    const create = async (body: object) => {
      const { status } = await fetch(`${gateway.url}/export-tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return status;
    };

    const statuses = [
      await create({ ...createBody, logGroupName: '/other' }),
      await create(createBody),
    ];
    await gateway.close();

    expect(statuses).toEqual([403, 201]);
    expect(world.creates()).toHaveLength(1);
  });

  test('rejects an invalid policy and names its file and line', async () => {
    await using _world = await openWorld();
    using folder = makePolicyFolder({ 'a.cedar': '// Nobody.\npermit(nobody);' });

    await expect(openAsMain({ POLICY_DIR: folder.path })).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/^POLICY_DIR is ".*": a\.cedar, line 2: /),
    });
  });

  test('rejects a port that another process listens on', async () => {
    await using world = await openWorld();

    await expect(openAsMain({ PORT: String(world.port) })).rejects.toMatchObject({
      name: 'ConfigError',
      message: `PORT is ${world.port}, but another process already listens on it at 127.0.0.1; choose another port.`,
    });
  });

  test.for([
    ['a name that does not resolve', 'gateway.invalid', 'this name does not resolve (E'],
    [
      'an address of another machine',
      '192.0.2.1',
      'not an address of this machine (EADDRNOTAVAIL)',
    ],
  ])('rejects a HOST that is %s', async ([, HOST = '', words]) => {
    await using _world = await openWorld();

    await expect(openAsMain({ HOST, AUTH: 'none' })).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(
        new RegExp(`^HOST is "${RegExp.escape(HOST)}", .*; set it to an address of this machine`),
      ),
    });
    await expect(openAsMain({ HOST, AUTH: 'none' })).rejects.toThrow(words);
  });

  test('listens on a host name of this machine', async () => {
    await using _world = await openWorld();

    const { gateway } = await openAsMain({ HOST: 'localhost' });
    const { status } = await fetch(`http://localhost:${new URL(gateway.url).port}/health/live`);
    await gateway.close();

    expect(status).toBe(200);
  });
});

describe('the audit', () => {
  readIdleLoop();

  test('has every call from the first to STS to the last, and is closed at the end', async () => {
    await using world = await openWorld();
    const [roleArn, path] = [
      `arn:aws:iam::123456789012:role/log-export`,
      join(temporaryDir(), 'a'),
    ];
    const scoped = { SERVICE_ROLE_ARN: roleArn, SCOPED_SESSIONS: 'on', AUDIT_LOG: path };

    const { gateway } = await openAsMain(scoped);
    await gateway.ready;
    const created = await fetch(`${gateway.url}/export-tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(createBody),
    });
    await gateway.close();

    expect(created.status).toBe(201);
    const open = readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return []; // the one of this listing
      }
    });
    expect(open).not.toContain(path);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const calls = lines.map((line) => JSON.parse(line)).filter(({ audit }) => audit === 'aws-call');
    const requests = world.emulator.journal.entries().map(({ requestId }) => requestId);
    const audited = calls.map(({ awsRequestId }) => awsRequestId);
    expect(audited.toSorted()).toEqual(requests.toSorted());
    expect(calls.map(({ operation, principal }) => `${operation} ${principal}`)).toEqual(
      expect.arrayContaining(['AssumeRole anonymous', 'CreateExportTask anonymous']),
    );
  });

  test('is checked at the start: rejects a file that cannot be written', async () => {
    await using _world = await openWorld();

    await expect(openAsMain({ AUDIT_LOG: temporaryDir() })).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/^AUDIT_LOG is /),
    });
  });
});

describe('export jobs', () => {
  readIdleLoop();

  test('are stored in DATA_DIR, and nothing is stored when they are off', async () => {
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

  test('are rejected when they would exceed WAITING_SLICES_PER_CALLER', async () => {
    await using _world = await openWorld();
    const { gateway } = await openAsMain({ WAITING_SLICES_PER_CALLER: '2' });
    await gateway.ready;

    const answer = await fetch(`${gateway.url}/export-jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(jobBody), // of three slices
    });
    await gateway.close();

    expect(answer.status).toBe(429);
  });

  test('do not stop the gateway while PostgreSQL is down: it serves, is not ready and says why', async () => {
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
      .toBe('This service cannot reach the database.');
    const meanwhile = await ask('/export-tasks');
    await postgres.start();
    await gateway.ready;
    const ready = await ask('/health/ready');
    await gateway.close();

    expect([meanwhile.status, ready.status]).toEqual([200, 200]);
    expect(lines.join('')).toContain('failed to connect to the database, retrying');
    expect(lines.join('')).not.toContain('failed to look for work');
    expect(lines.join('')).not.toContain(new URL(DATABASE_URL).password);
  });

  test('rejects the start when PostgreSQL refuses the gateway', async () => {
    await using _world = await openWorld();
    const DATABASE_URL = Object.assign(new URL(await postgresUrl()), { password: 'wr0ng' }).href;

    const { gateway, lines } = await openAsMain({ DATABASE_URL });

    await expect(gateway.ready).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/^DATABASE_URL .* password authentication failed/),
    });
    await gateway.close();
    expect(lines.join('')).not.toContain('wr0ng');
  });
});

describe('authentication', () => {
  readIdleLoop();

  const linesAboutAuthentication = (lines: string[]) =>
    lines
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => /^authentication (?:enabled|disabled)/.test(msg))
      .map(({ time: _now, ...line }) => line);
  const everybody = 'authentication disabled; anyone who can reach the port can call the gateway';

  test.for([
    ['it when only this machine can connect', {}, { level: 'info', host: '127.0.0.1' }],
    [
      'a warning when other machines can connect',
      { AUTH: 'none', HOST: '0.0.0.0' },
      { level: 'warn', host: '0.0.0.0' },
    ],
  ] as const)('is off: logs %s', async ([, env, facts]) => {
    await using _world = await openWorld();

    const { gateway, lines } = await openAsMain(env);
    await gateway.close();

    expect(linesAboutAuthentication(lines)).toEqual([{ ...facts, msg: everybody }]);
  });

  test('accepts tokens and keys over TLS, and logs both methods at the start', async () => {
    await using _world = await openWorld();
    await using issuer = await openIssuer();
    const folder = temporaryDir();
    const write = (name: string, content: string) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const { cert, key } = makeServerIdentity();
    const sha256 = createHash('sha256').update('the key').digest('hex');

    const { gateway, lines } = await openAsMain({
      AUTH: 'jwt,api-key',
      JWT_ISSUER: issuer.url,
      JWT_AUDIENCE: 'log-export-gateway',
      API_KEYS_FILE: write('api-keys.json', JSON.stringify([{ name: 'payments', sha256 }])),
      TLS_CERT_FILE: write('tls.crt', cert),
      TLS_KEY_FILE: write('tls.key', key),
    });
    await gateway.ready;
    using caller = makeCaller(Number(new URL(gateway.url).port));
    const statuses = [];
    for (const headers of [
      {},
      { 'x-api-key': 'the key' },
      { authorization: `Bearer ${issuer.token()}` },
    ] as Record<string, string>[]) {
      statuses.push((await caller.ask('/export-tasks', headers)).status);
    }
    await gateway.close();

    expect(gateway.url).toMatch(/^https:/);
    expect(statuses).toEqual([401, 200, 200]);
    expect(linesAboutAuthentication(lines)).toEqual([
      {
        level: 'info',
        methods: ['jwt', 'api-key'],
        issuers: [issuer.url],
        msg: 'authentication enabled',
      },
    ]);
  });
});
