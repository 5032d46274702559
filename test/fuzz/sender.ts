import { Agent, request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

import { makeWireKey } from '#auth/authentication/signature/wire-key.ts';
import { sign } from '../auth/authentication/signature/sign.ts';
import { makeRandom } from '../random.ts';
import { type HostileRequest, makeHostileRequests } from './hostile-requests.ts';
import { makeStopwatch } from './stopwatch.ts';

// Sends one hostile request after the other in a thread of its own, so that nothing else of the sender counts
// as time of the gateway. It reports after each answer.

/** May do everything; has a valid key but no permission; has no valid key. */
export type Caller = 'permitted' | 'forbidden' | 'unknown';

/** The parameters of a sender. */
export interface SenderData {
  url: string;
  /** The process of the gateway. */
  pid: number;
  seed: number;
  /** The number of requests to send. */
  count: number;
  keys: Record<Caller, string>;
  /** The secret that the keys of AWS clients are derived from. */
  wireSecret: string;
}

/** An answer, or `undefined` as status if there was none. */
export interface HostileAnswer {
  caller: Caller;
  status: number | undefined;
  /** The time of the answer, without waiting for a core. */
  tookMs: number;
  /** What was sent. */
  text: string;
  /** The beginning of a 5xx. */
  reason: string;
}

const { url, pid, seed, count, keys, wireSecret } = workerData as SenderData;
const random = makeRandom(seed);
const next = makeHostileRequests(random);
const startStopwatch = makeStopwatch(pid);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

for (let sent = 0; sent < count; sent += 1) {
  const draw = random();
  const caller = draw < 0.5 ? 'forbidden' : draw < 0.95 ? 'permitted' : 'unknown';
  const hostile = next();
  const { method, path, body } = hostile;
  const answer: HostileAnswer = {
    caller,
    ...(await send(withCredential(hostile, caller))),
    text: `${method} ${path.slice(0, 60)} ${body.length} bytes: ${body.subarray(0, 60).toString('latin1')}`,
  };
  parentPort?.postMessage(answer);
}
agent.destroy();

/** Adds the credential of a caller: a signature for AWS clients, otherwise an API key. */
function withCredential(hostile: HostileRequest, caller: Caller): HostileRequest {
  const { path, headers, body } = hostile;
  if (!('x-amz-target' in headers)) {
    return { ...hostile, headers: { ...headers, 'x-api-key': keys[caller] } };
  }
  const key = makeWireKey(wireSecret, caller, 1);
  const isForged = random() < 0.3;
  const signed = sign({
    ...key,
    ...(isForged && { secretAccessKey: 'a guess' }),
    at: Date.now(),
    path,
    headers: { ...headers, host: new URL(url).host },
    body,
  });
  return { ...hostile, headers: signed.headers };
}

/** Sends a request. The time counts from its last byte, or from an earlier answer, to the end of the answer. */
function send({
  method,
  path,
  headers,
  body,
}: HostileRequest): Promise<Pick<HostileAnswer, 'status' | 'tookMs' | 'reason'>> {
  return new Promise((resolve) => {
    let stop: ReturnType<typeof startStopwatch> | undefined;
    const { hostname, port } = new URL(url);
    const sent = request({ hostname, port, method, path, agent, headers }, (answer) => {
      stop ??= startStopwatch();
      const { statusCode: status = 0 } = answer;
      let reason = '';
      const end = () => resolve({ status, tookMs: stop?.() ?? 0, reason });
      answer.setEncoding('utf8').on('end', end).on('error', end);
      answer.on('data', (part: string) => {
        if (status >= 500) reason = (reason + part).slice(0, 4_000);
      });
    });
    sent.once('finish', () => {
      stop ??= startStopwatch();
    });
    // A gateway that answers before the end of a body may close the connection.
    sent.on('error', ({ code }: NodeJS.ErrnoException) => {
      const isClosed = code === 'EPIPE' || code === 'ECONNRESET';
      resolve({ status: isClosed ? 499 : undefined, tookMs: 0, reason: '' });
    });
    sent.end(body);
  });
}
