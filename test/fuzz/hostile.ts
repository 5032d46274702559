import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { startGateway } from '../../bench/gateway.ts';
import { sign } from '../auth/authentication/signature/sign.ts';
import { dial } from '../edge/raw.ts';
import { region } from '../world.ts';
import type { Caller, HostileAnswer, SenderData } from './sender.ts';

/** The report of a gateway that received only hostile requests. */
export interface HostileReport {
  requests: number;
  /** The answers by caller and status. */
  byStatus: Record<Caller, Record<string, number>>;
  /** The number of 1 MiB bodies that were sent without their last byte: many at first, then a few at a time. */
  halfSent: number;
  /** Requests without an answer, or with a 5xx. Not those that an overloaded gateway has shed. */
  failures: string[];
  /** The share of requests that were answered 503, because the gateway was overloaded. */
  shedShare: number;
  /** The time of the slowest answer, without waiting for a core, and its request. */
  slowestMs: number;
  slowest: string;
  /** The measurements of a prober of /health/live in a thread of its own. */
  live: { probes: number; slowestMs: number; failures: number };
  /** The peak of resident memory, and the highest observed memory without files, in MiB. */
  peakMib: { resident: number; anonymous: number };
}

const keys = { permitted: 'key-p', forbidden: 'key-f', unknown: 'key-u' };
/** Permitted callers who only hold unfinished bodies. They leave a quarter of the total limit free. */
const holders = Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`holding-${n}`, `key-h${n}`]));

const wireSecret = 'the secret of a hostile run, for its AWS clients';

// As a problem, as a page, and as an error of AWS, which has only the detail.
const overloaded =
  /problems\/overloaded|Service overloaded|memory for request bodies is full|too many requests in progress/;

/** Whether a 503 is an answer of an overloaded gateway. Other problems have the same error of AWS. */
export const isShed = (text: string) => overloaded.test(text);

const parallel = 4; // senders, each in a thread of its own
const halfSentAtOnce = 119; // just below the creates per minute of a caller
const heldAtOnce = 7; // one for each holder, and one for the caller without permission
const holdAgainMs = 1_000; // shorter: a gateway that refuses them all does nothing else
const signedAtOnce = 20; // more than one claimed caller may hold
const bodyBytes = 1_048_576;

/** How a gateway is run, and what it receives. */
export interface HostileOptions {
  count: number;
  seed: number;
  /** A module that the gateway loads first, as a path from the project root. */
  preload?: string;
}

/** Sends requests to a gateway in a process of its own, with its production settings. */
export async function runHostile(options: HostileOptions): Promise<HostileReport> {
  const { count, seed, preload } = options;
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const emulator = await openEmulator({ rateLimits: 'off', pendingMs: 0, runningMs: 0 });
  stack.defer(() => emulator.close());
  emulator.seed.logGroup({ region, logGroupName: '/app' });
  emulator.seed.bucket({ region, bucket: 'archive' });
  const env = { AWS_REGION: region, ...writeAccess(folder) };
  const gateway = stack.use(await startGateway(emulator.url, { env, ...(preload && { preload }) }));

  const prober = new Worker(new URL('prober.ts', import.meta.url), {
    workerData: { url: gateway.url, pid: gateway.pid },
  });
  stack.defer(async () => void (await prober.terminate()));
  const held = new Set<Socket>();
  let isStopped = false;
  let shed = 0;
  stack.defer(() => {
    isStopped = true;
    for (const socket of held) socket.destroy();
  });

  const report: HostileReport = {
    requests: 0,
    byStatus: { permitted: {}, forbidden: {}, unknown: {} },
    halfSent: 0,
    failures: [],
    shedShare: 0,
    slowestMs: 0,
    slowest: '',
    live: { probes: 0, slowestMs: 0, failures: 0 },
    peakMib: { resident: 0, anonymous: 0 },
  };
  const holderKeys = Object.values(holders);
  for (let number = 0; number < signedAtOnce; number += 1) holdSignedBody();
  for (let number = 0; number < halfSentAtOnce; number += 1) {
    holdBody(holderKeys[number % (holderKeys.length + 1)] ?? keys.forbidden, number < heldAtOnce);
  }
  await Promise.all(Array.from({ length: parallel }, (_, index) => runSender(seed + index)));
  prober.postMessage('stop');
  report.shedShare = shed / report.requests;
  report.live = await new Promise((resolve) => prober.once('message', resolve));
  return report;

  /** Runs a sender until it has sent its share, or the gateway has ended. */
  async function runSender(ownSeed: number): Promise<void> {
    const workerData: SenderData = {
      url: gateway.url,
      pid: gateway.pid,
      seed: ownSeed,
      count: Math.ceil(count / parallel),
      keys,
      wireSecret,
    };
    const sender = new Worker(new URL('sender.ts', import.meta.url), { workerData });
    sender.on('message', (answer: HostileAnswer) => {
      take(answer);
      if (gateway.hasEnded()) void sender.terminate();
    });
    await once(sender, 'exit');
  }

  function take({ caller, status, tookMs, text, reason }: HostileAnswer): void {
    report.requests += 1;
    const counts = report.byStatus[caller];
    counts[String(status)] = (counts[String(status)] ?? 0) + 1;
    if (tookMs > report.slowestMs) {
      Object.assign(report, { slowestMs: tookMs, slowest: `${status} ${caller} ${text}` });
    }
    const { peakMib } = report;
    peakMib.resident = Math.round(gateway.peakMib());
    peakMib.anonymous = Math.max(peakMib.anonymous, Math.round(gateway.anonymousMib()));
    if (status !== undefined && status < 500) return;
    if (status === 503 && isShed(reason)) shed += 1;
    else report.failures.push(`${status} ${caller} ${text} ${reason}`);
  }

  /** Sends the body of an AWS client without its last byte, in the name of a caller. */
  function holdSignedBody(): void {
    const body = Buffer.alloc(65_535, ' ');
    const key = { accessKeyId: 'permitted', secretAccessKey: 'a guess' };
    const { headers } = sign({ ...key, at: Date.now(), body });
    const socket = dial(Number(new URL(gateway.url).port));
    const lines = Object.entries({ ...headers, 'content-length': String(body.length + 1) });
    socket
      .resume()
      .write(`POST / HTTP/1.1\r\n${lines.map((line) => line.join(': ')).join('\r\n')}\r\n\r\n`);
    socket.write(body);
    held.add(socket);
    socket.once('close', () => held.delete(socket));
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
    wire: 1,
  }));
  const keysFile = join(folder, 'keys.json');
  writeFileSync(keysFile, JSON.stringify(entries));
  writeFileSync(
    join(folder, 'all.cedar'),
    ['permitted', ...Object.keys(holders)]
      .map((name) => `permit(principal == Caller::"api-key#${name}", action, resource);`)
      .join(''),
  );
  const wire = { WIRE: 'on', WIRE_SECRET: wireSecret };
  return { AUTH: 'api-key', API_KEYS_FILE: keysFile, POLICY_DIR: folder, ...wire };
}
