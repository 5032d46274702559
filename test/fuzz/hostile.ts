import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { openEmulator } from 'cloudwatch-logs-export-emulator/source';

import { startGateway } from '../../bench/gateway.ts';
import { dial } from '../edge/raw.ts';
import { makeRandom } from '../random.ts';
import { region } from '../world.ts';
import { type HostileRequest, makeHostileRequests } from './hostile-requests.ts';
import { makeStopwatch, type Stopwatch } from './stopwatch.ts';

/** The report of a gateway that received only hostile requests. */
export interface HostileReport {
  requests: number;
  /** The answers by caller and status. */
  byStatus: Record<Caller, Record<string, number>>;
  /** The number of 1 MiB bodies that were sent without their last byte: many at first, then a few at a time. */
  halfSent: number;
  /** Requests without an answer, or with a 5xx other than 501 and 503. */
  failures: string[];
  /** The time of the slowest answer, without waiting for a core. */
  slowestMs: number;
  /** The measurements of a prober of /health/live in a thread of its own. */
  live: { probes: number; slowestMs: number; failures: number };
  /** The peak of resident memory, and the highest observed memory without files, in MiB. */
  peakMib: { resident: number; anonymous: number };
}

/** May do everything; has a valid key but no permission; has no valid key. */
type Caller = 'permitted' | 'forbidden' | 'unknown';
const keys = { permitted: 'key-p', forbidden: 'key-f', unknown: 'key-u' };
/** Permitted callers who only hold unfinished bodies. They leave a quarter of the total limit free. */
const holders = Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`holding-${n}`, `key-h${n}`]));

const parallel = 4; // more: they wait for each other on one core, and look slow
const halfSentAtOnce = 119; // just below the creates per minute of a caller
const heldAtOnce = 7; // one for each holder, and one for the caller without permission
const holdAgainMs = 1_000; // shorter: a gateway that refuses them all does nothing else
const bodyBytes = 1_048_576;

/** Sends requests to a gateway in a process of its own, with its production settings. */
export async function runHostile(options: { count: number; seed: number }): Promise<HostileReport> {
  const { count, seed } = options;
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const emulator = await openEmulator({ rateLimits: 'off', pendingMs: 0, runningMs: 0 });
  stack.defer(() => emulator.close());
  emulator.seed.logGroup({ region, logGroupName: '/app' });
  emulator.seed.bucket({ region, bucket: 'archive' });
  const env = { AWS_REGION: region, ...writeAccess(folder) };
  const gateway = stack.use(await startGateway(emulator.url, { env }));

  const random = makeRandom(seed);
  const next = makeHostileRequests(random);
  const prober = new Worker(new URL('prober.ts', import.meta.url), {
    workerData: { url: gateway.url, pid: gateway.pid },
  });
  stack.defer(async () => void (await prober.terminate()));
  const stopwatch = makeStopwatch(gateway.pid);
  const agent = new Agent({ keepAlive: true, maxSockets: parallel });
  stack.defer(() => agent.destroy());
  const held = new Set<Socket>();
  let isStopped = false;
  stack.defer(() => {
    isStopped = true;
    for (const socket of held) socket.destroy();
  });

  const report: HostileReport = {
    requests: 0,
    byStatus: { permitted: {}, forbidden: {}, unknown: {} },
    halfSent: 0,
    failures: [],
    slowestMs: 0,
    live: { probes: 0, slowestMs: 0, failures: 0 },
    peakMib: { resident: 0, anonymous: 0 },
  };
  const holderKeys = Object.values(holders);
  for (let number = 0; number < halfSentAtOnce; number += 1) {
    holdBody(holderKeys[number % (holderKeys.length + 1)] ?? keys.forbidden, number < heldAtOnce);
  }
  await Promise.all(Array.from({ length: parallel }, work));
  prober.postMessage('stop');
  report.live = await new Promise((resolve) => prober.once('message', resolve));
  return report;

  async function work(): Promise<void> {
    while (report.requests < count && !gateway.hasEnded()) {
      report.requests += 1;
      const draw = random();
      const caller = draw < 0.5 ? 'forbidden' : draw < 0.95 ? 'permitted' : 'unknown';
      await send(next(), caller);
    }
  }

  async function send(hostile: HostileRequest, caller: Caller): Promise<void> {
    const { status, tookMs } = await sendRequest(gateway.url, hostile, {
      key: keys[caller],
      agent,
      stopwatch,
    });
    const counts = report.byStatus[caller];
    counts[String(status)] = (counts[String(status)] ?? 0) + 1;
    report.slowestMs = Math.max(report.slowestMs, tookMs);
    const { peakMib } = report;
    peakMib.resident = Math.round(gateway.peakMib());
    peakMib.anonymous = Math.max(peakMib.anonymous, Math.round(gateway.anonymousMib()));
    const isByDesign = status === 501 || status === 503;
    if (status === undefined || (status >= 500 && !isByDesign)) {
      const { method, path, body } = hostile;
      const text = `${body.length} bytes: ${body.subarray(0, 60).toString('latin1')}`;
      report.failures.push(`${status} ${caller} ${method} ${path.slice(0, 60)} ${text}`);
    }
  }

  /** Sends a body without its last byte. If renewed, sends another one when its connection has closed. */
  function holdBody(key: string, isRenewed: boolean): void {
    const socket = dial(Number(new URL(gateway.url).port));
    socket.resume().write(headOf(key));
    socket.write(Buffer.alloc(bodyBytes - 1, ' '));
    held.add(socket);
    report.halfSent += 1;
    socket.once('close', () => {
      held.delete(socket);
      if (isRenewed && !isStopped)
        setTimeout(() => isStopped || holdBody(key, true), holdAgainMs).unref();
    });
  }
}

function headOf(key: string): string {
  const type = `Content-Type: application/json\r\nContent-Length: ${bodyBytes}`;
  return `POST /export-jobs HTTP/1.1\r\nHost: gateway\r\nX-Api-Key: ${key}\r\n${type}\r\n\r\n`;
}

/** Writes the keys and policies. Returns the environment variables for them. */
function writeAccess(folder: string): Record<string, string> {
  const { unknown: _unknown, forbidden, permitted } = keys;
  const entries = Object.entries({ permitted, forbidden, ...holders }).map(([name, key]) => ({
    name,
    sha256: createHash('sha256').update(key).digest('hex'),
  }));
  const keysFile = join(folder, 'keys.json');
  writeFileSync(keysFile, JSON.stringify(entries));
  writeFileSync(
    join(folder, 'all.cedar'),
    ['permitted', ...Object.keys(holders)]
      .map((name) => `permit(principal == Caller::"api-key#${name}", action, resource);`)
      .join(''),
  );
  return { AUTH: 'api-key', API_KEYS_FILE: keysFile, POLICY_DIR: folder };
}

/** Sends a request. The time counts from its last byte, or from an earlier answer, to the end of the answer. */
function sendRequest(
  url: string,
  { method, path, headers, body }: HostileRequest,
  { key, agent, stopwatch }: { key: string; agent: Agent; stopwatch: Stopwatch },
): Promise<{ status: number | undefined; tookMs: number }> {
  return new Promise((resolve) => {
    let stop: ReturnType<Stopwatch> | undefined;
    const { hostname, port } = new URL(url);
    const sent = request(
      { hostname, port, method, path, agent, headers: { ...headers, 'x-api-key': key } },
      (answer) => {
        stop ??= stopwatch();
        const end = () => resolve({ status: answer.statusCode, tookMs: stop?.() ?? 0 });
        answer.resume().on('end', end).on('error', end);
      },
    );
    sent.once('finish', () => {
      stop ??= stopwatch();
    });
    // A gateway that answers before the end of a body may close the connection.
    sent.on('error', ({ code }: NodeJS.ErrnoException) => {
      const isClosed = code === 'EPIPE' || code === 'ECONNRESET';
      resolve({ status: isClosed ? 499 : undefined, tookMs: 0 });
    });
    sent.end(body);
  });
}
