import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { type GatewayProcess, keyOf } from './gateway-process.ts';

/** The requests of hostile callers so far. */
export interface HostileLoad {
  /** The number of answers with each status. */
  statuses: Map<number, number>;
  /** The event streams and long polls that are held open. Their client reads nothing. */
  held: number;
  /** Stops, and waits for requests in flight. */
  stop(): Promise<void>;
}

interface Attack {
  /** The maximum rate. */
  perSecond: number;
  send(gateway: GatewayProcess, caller: string): Promise<number>;
}

const read = (path: () => string, perSecond: number, method = 'GET'): Attack => ({
  perSecond,
  send: async (gateway, caller) =>
    (await gateway.call(caller, method, path(), method === 'GET' ? undefined : '{}')).status,
});
const post = (body: string, perSecond: number): Attack => ({
  perSecond,
  send: async (gateway, caller) =>
    (await gateway.call(caller, 'POST', '/export-jobs', body)).status,
});

const states = ['CANCELLED', 'COMPLETED', 'FAILED', 'PENDING', 'PENDING_CANCEL', 'RUNNING'];
const anyOf = <Item>(items: readonly Item[]) => items[Math.floor(Math.random() * items.length)];
const limit = () => 1 + Math.floor(Math.random() * 50);

// Without protection, each of these makes a call to AWS.
const reads = [
  read(() => `/export-tasks/${randomUUID()}`, 14),
  read(() => `/export-tasks?nextToken=${randomUUID()}`, 7),
  read(() => `/export-tasks?statusCode=${anyOf(states)}&limit=${limit()}`, 7),
  read(() => `/export-tasks/${randomUUID()}/cancel`, 7, 'POST'),
];
const waits = [
  read(() => `/export-jobs/${randomUUID()}?wait=20`, 5),
  read(() => `/export-jobs/${randomUUID()}/events`, 5),
];
// More than the limit of a caller.
const heldOfAKind = 110;
// The limit of a caller. This number of long polls has no answer until the job changes.
const heldPolls = 100;

const names = Array.from({ length: 1_000 }, (_, number) => `${number}${'/'.repeat(508)}`);
const rangeOf = {
  from: '2024-05-01T00:00:00Z',
  to: '2024-05-02T00:00:00Z',
  destination: 'archive',
};
/** Makes a call to AWS for each prefix that the policies permit. */
function dryRun(gateway: GatewayProcess, caller: string) {
  const body = { ...rangeOf, logGroupNamePrefix: `/neighbour/${randomUUID()}` };
  return gateway.call(caller, 'POST', '/export-jobs?dryRun=true', JSON.stringify(body));
}
const dryRuns: Attack = {
  perSecond: 4,
  send: async (gateway, caller) => (await dryRun(gateway, caller)).status,
};
const bodies = [
  post(JSON.stringify({ ...rangeOf, logGroupNames: names }), 1),
  post(
    JSON.stringify(Object.fromEntries(Array.from({ length: 90_000 }, (_, n) => [`m${n}`, 1]))),
    1,
  ),
  post(`{"from":${'['.repeat(50_000)}`, 1),
  post(`{"logGroupNames":[${Array.from({ length: 200_000 }, () => '1.5').join()}]}`, 1),
  { perSecond: 2, send: sendHalfABody },
];

/**
 * Starts hostile callers: with reads, waiting requests, dry runs, and large or broken bodies. The owner, one of them,
 * has a job that waits for hours. It first opens as many streams and waits of it as it can.
 */
export async function startHostileLoad(
  gateway: GatewayProcess,
  { callers, owner }: { callers: readonly string[]; owner: string },
): Promise<HostileLoad> {
  const statuses = new Map<number, number>();
  const stop = new AbortController();
  const count = (status: number) => statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const { id } = await insist(gateway, 202, () => createWaitingJob(gateway, owner));
  await insist(gateway, 422, () => dryRun(gateway, owner)); // no log group begins with the prefix
  const path = `/export-jobs/${id}`;
  const holdAll = (held: string, mayEnd: (status: number) => boolean) =>
    Array.from({ length: heldOfAKind }, () =>
      openUnread(gateway, owner, held, { signal: stop.signal, mayEnd }),
    );
  let isHeld = false;
  const answers = await Promise.all([
    Promise.all(holdAll(`${path}/events`, () => true)), // the headers of a stream come at once
    // On a slow machine, the first ones end before the last ones are sent.
    allBut(
      heldPolls,
      holdAll(`${path}?wait=30`, (status) => isHeld || status !== 200),
    ),
  ]);
  isHeld = true;
  const refused = answers.flat().filter((status) => status !== 200);
  refused.forEach(count);
  const attacks = callers.flatMap((caller) =>
    [...reads, ...waits, dryRuns, ...bodies].map((attack) => repeat(caller, attack)),
  );

  async function repeat(caller: string, { perSecond, send }: Attack): Promise<void> {
    const inFlight = new Set<Promise<void>>();
    while (!stop.signal.aborted) {
      const sent = send(gateway, caller).then((status) => {
        count(status);
        inFlight.delete(sent);
      });
      inFlight.add(sent);
      await delay((2_000 / perSecond) * Math.random());
    }
    await Promise.all(inFlight);
  }

  return {
    statuses,
    held: 2 * heldOfAKind - refused.length,
    async stop() {
      stop.abort();
      await Promise.all(attacks);
    },
  };
}

/** Sends half of a body of 1 MiB. Resolves when the server closes the connection. */
function sendHalfABody({ port }: GatewayProcess, caller: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    const head = [
      'POST /export-jobs HTTP/1.1',
      'host: localhost',
      `x-api-key: ${keyOf(caller)}`,
      'content-type: application/json',
      'content-length: 1048576',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n{"name":"${'x'.repeat(524_288)}`);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(Number(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1] ?? 0)));
  });
}

/** Creates a job whose log events are exportable only after twelve hours. */
function createWaitingJob(gateway: GatewayProcess, caller: string) {
  const to = Date.now();
  const range = { from: to - 3_600_000, to, destination: 'archive' };
  const body = { ...range, logGroupNames: ['/neighbour/app'] };
  return gateway.call(caller, 'POST', '/export-jobs', JSON.stringify(body));
}

/** Whether to send a request again: a busy machine has refused it, or was too late. */
const isPassing = (status: number) => [0, 503, 504].includes(status);

/** Repeats a call while a busy machine does not answer it. Returns the body of its answer. */
export async function insist(
  gateway: GatewayProcess,
  expected: number,
  send: () => ReturnType<GatewayProcess['call']>,
) {
  for (;;) {
    const { status, body } = await send();
    if (status === expected) return body;
    if (!isPassing(status) || gateway.exit() !== undefined)
      throw new Error(`A request returned ${status}: ${body?.detail}`);
    await delay(100);
  }
}

/** Resolves with the first values of promises, when all but `missing` have one. */
function allBut<Value>(missing: number, promises: Promise<Value>[]): Promise<Value[]> {
  const values: Value[] = [];
  return new Promise((resolve, reject) => {
    for (const promise of promises) {
      promise.then((value) => {
        values.push(value);
        if (values.length === promises.length - missing) resolve([...values]);
      }, reject);
    }
  });
}

/**
 * Opens a request of which nothing is read, until the signal aborts. It is sent again while a busy machine does not
 * answer it, or while it must not end with the status. Resolves with the status of its last answer.
 */
async function openUnread(
  gateway: GatewayProcess,
  caller: string,
  path: string,
  { signal, mayEnd }: { signal: AbortSignal; mayEnd: (status: number) => boolean },
): Promise<number> {
  const { port } = gateway;
  const headers = { 'x-api-key': keyOf(caller) };
  for (;;) {
    const sent = request({ port, path, headers, agent: false, signal }).on('error', () => {});
    const status = await new Promise<number>((resolve) => {
      sent.once('response', ({ statusCode = 0 }) => resolve(statusCode));
      sent.once('close', () => resolve(0));
      sent.end();
    });
    const isLast = !isPassing(status) && mayEnd(status);
    if (isLast || signal.aborted || gateway.exit() !== undefined) return status;
    sent.destroy();
    await delay(100);
  }
}
