import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { openTcpProxy } from './chaos/tcp-proxy.ts';
import { temporaryDir } from './database/homes.ts';
import { dial, listen } from './edge/raw.ts';
import { jobBody } from './export-jobs/accepted-jobs.ts';
import { type EventStream, openEventStream } from './export-jobs/api/event-stream-client.ts';
import { storageBackends } from './export-jobs/storage-backends.ts';
import { postgresUrl } from './postgres-databases.ts';
import {
  awsAt,
  pollOften,
  readyUrl,
  startLimitedService,
  startService,
} from './service-process.ts';
import { createBody, region } from './world.ts';

/** Opens an emulator for exports, whose tasks run longer than any test. */
async function openLongEmulator() {
  const emulator = await openEmulator({ rateLimits: 'off', runningMs: 3_600_000 });
  emulator.seed.logGroup({ region, logGroupName: '/app' });
  emulator.seed.bucket({ region, bucket: 'archive' });
  return emulator;
}

function post(url: string, body: unknown, credential: Headers = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...credential };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

type Headers = Record<string, string>;

/** Whether a busy machine was too late for an answer. */
const isLate = (status?: number) => status === 504;

/** Opens an event stream, again while the answer is late. */
async function openAnsweredStream(
  url: string,
  path: string,
  headers: Headers,
): Promise<EventStream> {
  const stream = await openEventStream(url, path, headers);
  if (!isLate(stream.response.statusCode)) return stream;
  await stream.over;
  return openAnsweredStream(url, path, headers);
}

/** Sends a long poll. Resolves when it is sent; `over` resolves when its answer is over. */
async function sendPoll(url: string, headers: Headers) {
  const sent = request(url, { headers, agent: false }).end();
  let answer: IncomingMessage | undefined;
  const over = once(sent, 'response').then(async ([response]: IncomingMessage[]) => {
    answer = response;
    await once((response as IncomingMessage).resume(), 'close');
    return { status: response?.statusCode, isComplete: response?.complete };
  });
  await once(sent, 'finish');
  return { over, isLate: () => isLate(answer?.statusCode) };
}

/** Sends `count` long polls, again while an answer is late. Resolves when all of them have arrived. */
async function sendPolls(url: string, path: string, headers: Headers, count: number) {
  let polls: Awaited<ReturnType<typeof sendPoll>>[] = [];
  while (polls.length < count) {
    const missing = Array.from({ length: count - polls.length });
    const send = () => sendPoll(`${url}${path}?wait=30`, headers);
    polls.push(...(await Promise.all(missing.map(send))));
    await fetch(`${url}/health/live`); // the polls have arrived before it
    polls = polls.filter((poll) => !poll.isLate());
  }
  return polls;
}

/** Creates a job and returns its path, again while the answer is late. */
async function jobPath(url: string, headers?: Headers): Promise<string> {
  const { status, headers: given } = await post(`${url}/export-jobs`, jobBody, headers);
  if (isLate(status)) return jobPath(url, headers);
  expect(status).toBe(202);
  return given.get('location') ?? '';
}

/** A caller without a credential, and one with a key that permits everything. */
const callers = {
  none: () => ({ env: {}, headers: {} }),
  'api-key': () => {
    const folder = temporaryDir();
    const sha256 = createHash('sha256').update('the-key').digest('hex');
    const keysFile = join(folder, 'api-keys.json');
    writeFileSync(keysFile, JSON.stringify([{ name: 'alice', sha256 }]));
    writeFileSync(join(folder, 'all.cedar'), 'permit(principal, action, resource);');
    return {
      env: {
        AUTH: 'api-key',
        API_KEYS_FILE: keysFile,
        POLICY_DIR: folder,
        WATCHERS_PER_CALLER: String(ofAKind),
      },
      headers: { 'x-api-key': 'the-key' },
    };
  },
};
// Of streams, and of long polls. Fewer: a shutdown that needs too much memory for each of them goes unnoticed.
const ofAKind = 200;

const sqlite = storageBackends[0] as (typeof storageBackends)[0];
const cases = [
  ...storageBackends.map((storage) => [...storage, 'none'] as const),
  [...sqlite, 'api-key'] as const,
];

describe.each(cases)('SIGTERM on %s', (_name, openStorage, auth) => {
  test(`ends event streams and long polls without truncating them, and exits with 0: AUTH=${auth}`, async () => {
    await using emulator = await openLongEmulator();
    const { databaseUrl } = await openStorage();
    const { env, headers } = callers[auth]();
    const run = startLimitedService({
      ...awsAt(emulator),
      ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
      ...env,
    });
    const url = await readyUrl(run);
    const path = await jobPath(url, headers);
    const running = (text: string) => text.includes('event: slice-running');
    const streams = await Promise.all(
      Array.from({ length: ofAKind }, () => openAnsweredStream(url, `${path}/events`, headers)),
    );
    await expect.poll(() => streams.every((s) => running(s.text())), pollOften).toBe(true);
    const polls = await sendPolls(url, path, headers, ofAKind);

    run.child.kill('SIGTERM');
    const answers = await Promise.all(polls.map(({ over }) => over));
    await Promise.all(streams.map(({ over }) => over));

    expect(await run.ended).toBe(0);
    expect(answers.filter(({ status, isComplete }) => status !== 200 || !isComplete)).toEqual([]);
    expect(streams.filter((stream) => !stream.isComplete())).toEqual([]);
    expect(run.lines()).toContainEqual(expect.objectContaining({ msg: 'stopped' }));
  });
});

const isCreate = ({ operation }: { operation: string }) => operation === 'CreateExportTask';

describe('SIGTERM ends the process with exit code 0 despite', () => {
  test('silent connections, half-sent headers and bodies, creates at a silent AWS', async () => {
    await using emulator = await openLongEmulator();
    const run = startService(awsAt(emulator));
    const url = await readyUrl(run);
    const port = Number(new URL(url).port);
    for (let more = 0; more < 2; more += 1) {
      emulator.faults.add({ operation: 'CreateExportTask', kind: 'silence-before' });
    }
    await jobPath(url);
    const asked = () => emulator.journal.entries().filter(isCreate).length;
    await expect.poll(asked, pollOften).toBe(1);
    const created = post(`${url}/export-tasks`, createBody);
    await expect.poll(asked, pollOften).toBe(2);
    const [silent, halfHeaders, halfBody] = [dial(port), dial(port), dial(port)];
    halfHeaders.write('GET /health/live HTTP/1.1\r\nHost: loc');
    const head =
      'POST /authorization-checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    halfBody.write(`${head}Content-Length: 100\r\n\r\n{`);
    const answerToHalf = listen(halfBody, head);
    const closed = [silent, halfHeaders].map((socket) => once(socket.resume(), 'close'));

    run.child.kill('SIGTERM');
    const unknown = await created;
    await Promise.all(closed);

    expect(await run.ended).toBe(0);
    expect(unknown.status).toBe(504);
    expect(await unknown.json()).toMatchObject({ type: '/problems/outcome-unknown' });
    expect((await answerToHalf).answers[0]?.status).toBe(408);
    expect(run.lines()).toContainEqual(expect.objectContaining({ msg: 'stopped' }));
  });

  test('a database that stops answering', async () => {
    await using emulator = await openLongEmulator();
    const database = new URL(await postgresUrl());
    await using proxy = await openTcpProxy(Number(database.port));
    database.port = String(proxy.port);
    database.hostname = '127.0.0.1';
    const run = startService({ ...awsAt(emulator), DATABASE_URL: database.href });
    const url = await readyUrl(run);
    const path = await jobPath(url);
    const stream = await openEventStream(url, `${path}/events`);
    await expect.poll(() => stream.text(), pollOften).toContain('slice-running');

    proxy.cut();
    const read = fetch(`${url}${path}`);
    run.child.kill('SIGTERM');
    await stream.over;

    expect([503, 504]).toContain((await read).status); // 504 if it came late
    expect(await run.ended).toBe(0);
  });

  test('a blocked reader of stdout', async () => {
    await using emulator = await openLongEmulator();
    const run = startService({ ...awsAt(emulator), LOG_LEVEL: 'trace' });
    const url = await readyUrl(run);
    run.child.stdout?.pause();
    for (let requests = 0; requests < 2_000; requests += 100) {
      await Promise.all(Array.from({ length: 100 }, () => fetch(`${url}/export-tasks`)));
    }

    run.child.kill('SIGTERM');

    expect(await once(run.child, 'exit')).toEqual([0, null]);
  });

  test('an audit log on a full disk', async () => {
    await using emulator = await openLongEmulator();
    const run = startService({ ...awsAt(emulator), AUDIT_LOG: '/dev/full' });
    const url = await readyUrl(run);
    await fetch(`${url}/export-tasks`);

    run.child.kill('SIGTERM');

    expect(await run.ended).toBe(0);
  });
});
