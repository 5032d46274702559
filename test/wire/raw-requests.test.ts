import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeWireKey } from '#auth/authentication/signature/wire-key.ts';
import { sign } from '../auth/authentication/signature/sign.ts';
import { type Guard, openGuard } from '../auth/guard.ts';
import { temporaryDir } from '../database/homes.ts';
import { dial, request, talk } from '../edge/raw.ts';
import { openWorld, type World } from '../world.ts';

// Bytes on a connection that no SDK sends, or that servers and proxies read differently.

const wireSecret = 'the secret of this test, 32 characters';
let guard: Guard;
let world: World;
beforeAll(async () => {
  const apiKeysFile = join(temporaryDir(afterAll), 'api-keys.json');
  writeFileSync(
    apiKeysFile,
    JSON.stringify([{ name: 'raw', sha256: hash('sha256', 'raw'), wire: 1 }]),
  );
  const signatures = { secrets: [wireSecret], basePath: '' };
  guard = await openGuard({ methods: ['api-key'], apiKeysFile, signatures });
  world = await openWorld({ access: guard.access, jobs: {} });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await guard[Symbol.asyncDispose]();
});

const window = { logGroupName: '/app', from: 1, to: 2, destination: 'archive' };

type Lines = [name: string, value: string][];

/** A signed request: its lines, which a case may change, and its body. */
function signed(path: string, body = '{}'): { lines: Lines; body: string } {
  const key = makeWireKey(wireSecret, 'raw', 1);
  const { headers } = sign({ ...key, at: Date.now(), path, body });
  return { lines: Object.entries(headers), body };
}

const withLength = (lines: Lines, body: string): Lines => [
  ...lines,
  ['content-length', String(body.length)],
];
const bytesOf = (path: string, lines: Lines, body: string, version = '1.1') =>
  `POST ${path} HTTP/${version}\r\n${lines.map((line) => line.join(': ')).join('\r\n')}\r\n\r\n${body}`;
const headerValueOf = (lines: Lines, name: string) =>
  lines.find(([each]) => each === name)?.[1] ?? '';

/** Sends bytes; returns the status and the code of the error, if the answer is one. */
async function statusOf(
  bytes: string,
  { port } = world,
): Promise<[number | undefined, string | undefined]> {
  const { answers } = await talk(port, bytes);
  const text = answers[0]?.text || '{}';
  const { __type: code, type } = JSON.parse(text);
  return [answers[0]?.status, code ?? type];
}

const paths = ['/', '/aws/default'];

test.each(paths)('answers a request to %s as it was signed', async (path) => {
  const { lines, body } = signed(path);

  expect(await statusOf(bytesOf(path, withLength(lines, body), body))).toEqual([200, undefined]);
});

test.each<[string, (lines: Lines, body: string) => string]>([
  [
    'a chunked body',
    (lines) => bytesOf('/', [...lines, ['transfer-encoding', 'chunked']], '2\r\n{}\r\n0\r\n\r\n'),
  ],
  [
    'names of headers in upper case',
    (lines, body) =>
      bytesOf(
        '/',
        withLength(lines, body).map(([name, value]) => [name.toUpperCase(), value]),
        body,
      ),
  ],
  [
    'spaces and tabs around values',
    (lines, body) =>
      bytesOf(
        '/',
        withLength(lines, body).map(([name, value]) => [name, ` ${value}\t `]),
        body,
      ),
  ],
  [
    'Expect: 100-continue',
    (lines, body) => bytesOf('/', [...withLength(lines, body), ['expect', '100-continue']], body),
  ],
  ['HTTP/1.0', (lines, body) => bytesOf('/', withLength(lines, body), body, '1.0')],
])('accepts %s', async (_what, toBytes) => {
  const { lines, body } = signed('/');

  expect(await statusOf(toBytes(lines, body))).toEqual([200, undefined]);
});

test.each<[string, (lines: Lines, body: string) => string, [number, string]]>([
  [
    'two Authorization headers, the first of them valid',
    (lines, body) =>
      bytesOf('/', [...withLength(lines, body), ['authorization', 'Bearer a.b.c']], body),
    [400, 'MissingAuthenticationTokenException'],
  ],
  [
    'two equal Authorization headers',
    (lines, body) =>
      bytesOf(
        '/',
        [...withLength(lines, body), ['Authorization', headerValueOf(lines, 'authorization')]],
        body,
      ),
    [400, 'MissingAuthenticationTokenException'],
  ],
  [
    'two times',
    (lines, body) =>
      bytesOf(
        '/',
        [...withLength(lines, body), ['X-Amz-Date', headerValueOf(lines, 'x-amz-date')]],
        body,
      ),
    [400, 'InvalidSignatureException'],
  ],
  [
    'two operations',
    (lines, body) =>
      bytesOf(
        '/',
        [...withLength(lines, body), ['X-Amz-Target', headerValueOf(lines, 'x-amz-target')]],
        body,
      ),
    [400, 'UnknownOperationException'],
  ],
  [
    'two hosts',
    (lines, body) => bytesOf('/', [...withLength(lines, body), ['Host', 'gateway']], body),
    [400, 'MalformedHttpRequestException'],
  ],
  [
    'a folded header',
    (lines, body) =>
      bytesOf(
        '/',
        withLength(lines, body).map(([name, value]) => [
          name,
          name === 'authorization' ? value.replace(', ', ',\r\n ') : value,
        ]),
        body,
      ),
    [400, '/problems/malformed-request'],
  ],
  [
    'the path of another request',
    (lines, body) => bytesOf('/aws/default', withLength(lines, body), body),
    [400, 'InvalidSignatureException'],
  ],
  [
    'the body of another request',
    (lines) => bytesOf('/', withLength(lines, '{"limit":50}'), '{"limit":50}'),
    [400, 'InvalidSignatureException'],
  ],
  [
    'no body',
    (lines) => bytesOf('/', withLength(lines, ''), ''),
    [400, 'InvalidSignatureException'],
  ],
  [
    'more than 64 KiB',
    (lines) => bytesOf('/', [...lines, ['content-length', '65537']], ''),
    [413, 'RequestEntityTooLargeException'],
  ],
  [
    'a compressed body',
    (lines, body) => bytesOf('/', [...withLength(lines, body), ['content-encoding', 'gzip']], body),
    [404, 'UnknownOperationException'],
  ],
  [
    'Content-Length beside Transfer-Encoding',
    (lines, body) =>
      bytesOf('/', [...withLength(lines, body), ['transfer-encoding', 'chunked']], '0\r\n\r\n'),
    [400, '/problems/malformed-request'],
  ],
  [
    'a URL for a path',
    (lines, body) => bytesOf('http://gateway/', withLength(lines, body), body),
    [400, 'MalformedHttpRequestException'],
  ],
  [
    'a query',
    (lines, body) => bytesOf('/?X-Amz-Expires=60', withLength(lines, body), body),
    [400, 'InvalidSignatureException'],
  ],
])('rejects %s', async (_what, toBytes, expected) => {
  const { lines, body } = signed('/');

  expect(await statusOf(toBytes(lines, body))).toEqual(expected);
});

/** Sends the beginning of a request in the name of the caller, without a valid signature, and keeps the connection. */
async function hold({ port }: World, sent: number, count: number) {
  const { lines } = signed('/', 'another body');
  const head = bytesOf('/', [...lines, ['content-length', '65536']], ' '.repeat(sent));
  const sockets = Array.from({ length: count }, () => dial(port));
  for (const socket of sockets) socket.write(head);
  await talk(port, request('GET /health/live')); // is answered after them
  return {
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe('bodies of impostors', () => {
  const send = (at: World, body: string) => {
    const { lines } = signed('/', body);
    return statusOf(bytesOf('/', withLength(lines, body), body), at);
  };

  test('200 announced bodies do not keep a caller out', async () => {
    using _held = await hold(world, 1, 200);

    expect(await send(world, '{}'.padEnd(50_000))).toEqual([200, undefined]);
  });

  test('bodies that arrive keep out large bodies of the same caller, but no usual ones', async () => {
    const limits = { claimedBodiesBytes: 66_000, earlyBodyMs: 60_000 };
    await using small = await openWorld({ access: guard.access, jobs: {}, limits });
    using _held = await hold(small, 60_000, 1);

    await expect.poll(() => send(small, '{}'.padEnd(50_000))).toEqual([400, 'ThrottlingException']);
    expect(await send(small, '{}'.padEnd(4_096))).toEqual([200, undefined]);
  });

  test('end after their time, without an error in the log', async () => {
    await using hasty = await openWorld({
      access: guard.access,
      jobs: {},
      limits: { earlyBodyMs: 20 },
    });
    const { lines } = signed('/');
    const half = bytesOf('/', [...lines, ['content-length', '100']], '{');

    const { answers, isClosed } = await talk(hasty.port, half);

    expect(answers[0]).toMatchObject({ status: 503 });
    expect(isClosed).toBe(true);
    expect(hasty.log).toContainEqual(
      expect.objectContaining({ level: 'info', problem: 'request-timeout', status: 503 }),
    );
  });
});

/** A world in which a caller has two creates. */
const openLimited = () =>
  openWorld({
    access: guard.access,
    jobs: {},
    rateLimits: { createsPerMinute: 2 },
    elapsed: () => 0,
  });
const ask = (operation: string, parameters: object) => {
  const key = makeWireKey(wireSecret, 'raw', 1);
  const body = JSON.stringify(parameters);
  const target = { 'x-amz-target': `Logs_20140328.${operation}` };
  const { headers } = sign({ ...key, at: Date.now(), body, headers: target });
  return bytesOf('/', withLength(Object.entries(headers), body), body);
};

describe('copies of a recorded create', () => {
  const create = (changes: object) => ask('CreateExportTask', { ...window, ...changes });

  test('do not use up the creates of its caller', async () => {
    await using limited = await openLimited();
    const first = create({ to: 2 });

    const recorded = await talk(limited.port, first);
    const copies = await talk(limited.port, first.repeat(3), 3);
    const second = await talk(limited.port, create({ to: 3 }));
    const third = await talk(limited.port, create({ to: 4 }));

    expect(recorded.answers[0]?.status).toBe(200);
    expect(copies.answers.map(({ text }) => text)).toEqual(
      Array(3).fill(recorded.answers[0]?.text),
    );
    expect(second.answers[0]?.status).toBe(200);
    expect(third.answers[0]?.text).toContain('ThrottlingException');
  });

  test('count as creates if it was refused', async () => {
    await using limited = await openLimited();
    const refused = create({ logGroupName: '/absent' });
    const codeOf = async () => (await statusOf(refused, limited))[1];

    const codes = [await codeOf(), await codeOf(), await codeOf()];

    expect(codes).toEqual([
      'ResourceNotFoundException',
      'ResourceNotFoundException',
      'ThrottlingException',
    ]);
  });
});

test('lists of log groups have a limit like creates, also copies, and leave creates theirs', async () => {
  await using limited = await openLimited();
  const list = ask('DescribeLogGroups', {});

  const { answers } = await talk(limited.port, list.repeat(3) + ask('CreateExportTask', window), 4);

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 400, 200]);
  expect(answers[2]?.text).toContain('ThrottlingException');
});

test('a client that sends one request after the other gets one answer for each', async () => {
  const { lines, body } = signed('/');
  const good = bytesOf('/', withLength(lines, body), body);
  const bad = bytesOf('/', withLength(lines, '{"a":1}'), '{"a":1}');

  const { answers } = await talk(world.port, good + bad + good, 3);

  expect(answers.map(({ status }) => status)).toEqual([200, 400, 200]);
});
