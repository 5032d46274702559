import { hash } from 'node:crypto';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmulatorOptions, Fault } from 'cloudwatch-logs-export-emulator/source';
import { afterAll, describe, expect, test } from 'vitest';

import { makeCanaries } from '../canaries.ts';
import { createDatabase, openPostgres } from '../postgres.ts';
import { postgresUrl } from '../postgres-databases.ts';
import { createBody, openWorld, region, type World } from '../world.ts';
import { openGuard, settingsOf } from './guard.ts';
import { openIssuer } from './issuer.ts';

const roleArn = 'arn:aws:iam::123456789012:role/canary-role-4f1c';
const externalId = 'canary-external-id-77aa';

// Callers as in production: a token issuer, and a file with the hash of a key.
const issuer = await openIssuer();
const good = { bearer: issuer.token(), apiKey: 'canary-good-key-91d2' };
const folder = mkdtempDisposableSync(join(tmpdir(), 'canaries-'));
const apiKeysFile = join(folder.path, 'api-keys.json');
const sha256 = hash('sha256', good.apiKey);
writeFileSync(apiKeysFile, JSON.stringify([{ name: 'canary', sha256 }]));
const issuers = [settingsOf(issuer)];
const guard = await openGuard({ methods: ['jwt', 'api-key'], issuers, apiKeysFile });
afterAll(async () => {
  await guard[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
  folder.remove();
});

const byBearer = { authorization: `Bearer ${good.bearer}` };

/** The credentials and similar headers of callers; each value is a canary. */
const carriers: Record<
  string,
  { headers?: Record<string, string>; query?: string; body?: object }
> = {
  'good token': { headers: byBearer },
  'good key': { headers: { 'x-api-key': good.apiKey } },
  'bad token': { headers: { authorization: 'Bearer eyJjYW5hcnkiOjN9.canary-bad-token-0001.x' } },
  'no token at all': { headers: { authorization: 'canary-bare-authorization-0002' } },
  'name and password': { headers: { authorization: 'Basic Y2FuYXJ5OmNhbmFyeS1wYXNzd29yZA==' } },
  'bad key': { headers: { 'x-api-key': 'canary-bad-key-0003' } },
  'two at once': { headers: { ...byBearer, 'x-api-key': 'canary-second-key-0004' } },
  'a proxy’s': { headers: { ...byBearer, 'proxy-authorization': 'Basic canary-proxy-0005' } },
  cookie: { headers: { ...byBearer, cookie: 'session=canary-cookie-0006' } },
  'token in the query': { headers: byBearer, query: 'access_token=canary-query-token-0007' },
  'key in the query': { headers: byBearer, query: 'api_key=canary-query-key-0008' },
  'password in the body': { headers: byBearer, body: { password: 'canary-body-password-0009' } },
  'other header': { headers: { ...byBearer, 'x-auth-token': 'canary-other-header-0010' } },
  'key of AWS': { headers: { ...byBearer, 'x-amz-security-token': 'canary-aws-token-0011' } },
  'idempotency key': { headers: { ...byBearer, 'idempotency-key': 'canary-idempotency-0012' } },
};

/** Opens a world whose role has an external id, and whose callers authenticate. */
async function openGuarded(databaseUrl: string, roles: EmulatorOptions['roles']) {
  let advancedMs = 0;
  const world = await openWorld({
    now: () => Date.now() + advancedMs,
    elapsed: () => performance.now() + advancedMs,
    access: guard.access,
    emulator: { roles: { ...roles } },
    targets: [{ name: 'default', region, roleArn, externalId }],
    jobs: { databaseUrl },
    isCheckAwaited: false,
    isTimeoutSkipped: true,
  });
  for (const [name, { headers = {}, query = '', body = {} }] of Object.entries(carriers)) {
    for (const value of [...Object.values(headers), query, ...Object.values(body)]) {
      for (const canary of value.match(/canary-[\w-]+/g) ?? []) world.canaries.plant(name, canary);
    }
  }
  return Object.assign(world, {
    /** Advances both clocks. */
    advance(ms: number) {
      advancedMs += ms;
      world.emulator.clock.advance(ms);
    },
  });
}

const job = {
  logGroupNames: ['/app'],
  from: createBody.from,
  to: createBody.to,
  destination: 'archive',
};
const bodies: Record<string, object> = { createExportTask: createBody, createExportJob: job };

interface Operation {
  operationId: string;
  responses: object;
}

/** Whether an operation calls AWS, or shows what AWS has said. */
const dependsOnAws = ({ operationId, responses }: Operation) =>
  ['listTargets', 'getReadiness'].includes(operationId) ||
  JSON.stringify(responses).includes('/service-role-unusable"');

/** Calls every operation concurrently, with every kind of credential. */
async function callEverything(
  world: World,
  by = Object.values(carriers),
  isAsked = (_operation: Operation) => true,
): Promise<number[]> {
  const { paths } = JSON.parse(world.app.openapiText()) as {
    paths: Record<string, Record<string, Operation>>;
  };
  const jobId = '0191d2f0-7a57-4d0c-9d57-0d1a3f5d9a11';
  const operations = Object.entries(paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod)
      .filter(([, operation]) => isAsked(operation))
      .map(([method, { operationId }]) => ({
        method: method.toUpperCase(),
        path: path
          .replace('{jobId}', jobId)
          .replace('{target}', 'default')
          .replace(/\{\w+\}/, 'any'),
        body: bodies[operationId],
      })),
  );
  const answers = await Promise.all(
    operations.flatMap(({ method, path, body }) =>
      by.map(({ headers, query, body: more }) =>
        world.call(
          method,
          query ? `${path}?${query}` : path,
          body && { ...body, ...more },
          headers,
        ),
      ),
    ),
  );
  return answers.map(({ status }) => status);
}

const refusedText = `User: arn:aws:sts::123456789012:assumed-role/canary-role-4f1c/test is not authorized to perform: logs:CreateExportTask on resource: ${roleArn}`;
const errors = [
  'AccessDeniedException',
  'AccessDenied',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'IncompleteSignature',
  'SignatureDoesNotMatch',
];
const failures: Fault[] = [
  ...errors.map((code) => ({ kind: 'error', code, message: refusedText, status: 403 }) as const),
  ...['LimitExceededException', 'ThrottlingException', 'OperationAbortedException'].map(
    (code) => ({ kind: 'error', code }) as const,
  ),
  ...['ResourceNotFoundException', 'InvalidOperationException', 'NobodyKnows'].map(
    (code) => ({ kind: 'error', code }) as const,
  ),
  { kind: 'error', code: 'InternalFailure', message: refusedText, status: 500 } as const,
  { kind: 'error', code: 'ServiceUnavailableException', message: refusedText } as const,
  { kind: 'error', status: 502, rawBody: '<html>a page of a proxy</html>' } as const,
  { kind: 'reset-before' } as const,
  { kind: 'reset-after' } as const,
  { kind: 'silence-before' } as const,
  { kind: 'silence-after' } as const,
  { kind: 'cut-body' } as const,
  { kind: 'stall-body' } as const,
  { kind: 'replace-body', body: '{"nonsense"' } as const,
  // The operation is added for each use.
].map((failure) => ({ ...failure, operation: '', count: 1_000 }));
const ofLogs = ['CreateExportTask', 'DescribeExportTasks', 'CancelExportTask', 'DescribeLogGroups'];

describe('answers, log and audit contain no secret', () => {
  test('any failure for any caller', async () => {
    await using postgres = await openPostgres();
    const databaseUrl = await createDatabase(postgres.url);
    const world = await openGuarded(databaseUrl, { [roleArn]: { externalId } });
    await world.targets.whenReady;
    const first = [carriers['good token'] ?? {}];

    const statuses = new Set(await callEverything(world));
    for (const operations of [ofLogs, ['AssumeRole']]) {
      for (const failure of failures) {
        world.advance(3_600_000); // the session ends
        for (const operation of operations) world.emulator.faults.add({ ...failure, operation });
        for (const status of await callEverything(world, first, dependsOnAws)) statuses.add(status);
        world.emulator.faults.clear();
      }
    }
    await postgres.stop('immediate');
    for (const status of await callEverything(world)) statuses.add(status);

    expect(world.emulator.sessionSecrets().length).toBeGreaterThan(10);
    expect(world.canaries.count()).toBeGreaterThan(20); // and two of each session
    expect([...statuses]).toEqual(
      expect.arrayContaining([200, 201, 202, 400, 401, 403, 404, 409, 429, 502, 503, 504]),
    );
    await world[Symbol.asyncDispose](); // searches for canaries
  });

  test('when the role cannot be assumed', async () => {
    const databaseUrl = await postgresUrl();
    const world = await openGuarded(databaseUrl, { [roleArn]: { externalId, refuses: true } });

    const statuses = await callEverything(world, undefined, dependsOnAws);

    expect(statuses).toContain(503);
    expect(JSON.stringify(world.log)).toContain(roleArn); // the log names the role that could not be assumed
    await world[Symbol.asyncDispose]();
  });
});

describe('the search for secrets', () => {
  const token = 'canary-token-that-leaks';
  const headers = { authorization: `Bearer ${token}` };

  test.each<[string, (world: World) => void]>([
    ['log', ({ app }) => app.log.info({ note: `got ${token}` }, 'a leak')],
    [
      'log',
      ({ app }) => app.log.info({ deep: [{ in: Buffer.from(token).toString('base64') }] }, 'x'),
    ],
    ['audit', ({ audit }) => void audit.push({ audit: 'refusal', error: `bad token ${token}` })],
  ])('finds a secret in the %s', async (place, leak) => {
    const world = await openWorld();
    await world.call('GET', '/targets', undefined, headers);

    leak(world);

    await expect(world[Symbol.asyncDispose]()).rejects.toThrow(`authorization in ${place}`);
  });

  test('finds a secret in the body or a header of an answer', async () => {
    const worldOf = (header: string, body: string) => {
      const world = openWorld();
      return world.then((opened) => {
        opened.app.server.prependListener('request', (_request, response) => {
          response.setHeader('x-echo', header);
          if (body) opened.canaries.plant('the body', body);
        });
        return opened;
      });
    };
    const inHeader = await worldOf(token, '');
    const inBody = await worldOf('', '"status":"live"');

    await inHeader.call('GET', '/health/live', undefined, headers);
    await inBody.call('GET', '/health/live');

    await expect(inHeader[Symbol.asyncDispose]()).rejects.toThrow('authorization in answers');
    await expect(inBody[Symbol.asyncDispose]()).rejects.toThrow('the body in answers');
  });

  test('allows the ARN of a role in the log, which only operators read', () => {
    const canaries = makeCanaries();
    canaries.plant('the role', roleArn, 'in answers');
    const seen = { answers: [], log: [], audit: [] };

    expect(canaries.hits({ ...seen, log: [refusedText] })).toEqual([]);
    expect(canaries.hits({ ...seen, answers: [refusedText] })).toHaveLength(1);
  });

  test('finds a secret at each position of a text', () => {
    const canaries = makeCanaries();
    canaries.plant('the token', 'canary-token');

    for (let before = 0; before < 20; before++) {
      const text = `${'-'.repeat(before)}canary-token`;
      expect(canaries.hits({ answers: [text], log: [], audit: [] })).toHaveLength(1);
    }
  });

  test('finds the percent-encoded and the escaped form of a secret', () => {
    const canaries = makeCanaries();
    canaries.plant('the token', 'canary/with+all "of it"');

    const texts = ['canary%2Fwith%2Ball%20%22of%20it%22', 'canary/with+all \\"of it\\"'];

    for (const text of texts) {
      expect(canaries.hits({ answers: [text], log: [], audit: [] })).toHaveLength(1);
    }
  });
});
