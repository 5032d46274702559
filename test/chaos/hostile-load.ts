import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { type GatewayProcess, keyOf } from './gateway-process.ts';

/** The requests of hostile callers so far. */
export interface HostileLoad {
  /** The number of answers with each status. */
  statuses: Map<number, number>;
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

const names = Array.from({ length: 1_000 }, (_, number) => `${number}${'/'.repeat(508)}`);
const rangeOf = {
  from: '2024-05-01T00:00:00Z',
  to: '2024-05-02T00:00:00Z',
  destination: 'archive',
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

/** Starts hostile callers: with reads, waiting requests, and large or broken bodies. */
export function startHostileLoad(gateway: GatewayProcess, callers: readonly string[]): HostileLoad {
  const statuses = new Map<number, number>();
  const stop = new AbortController();
  const attacks = callers.flatMap((caller) =>
    [...reads, ...waits, ...bodies].map((attack) => repeat(caller, attack)),
  );

  async function repeat(caller: string, { perSecond, send }: Attack): Promise<void> {
    const inFlight = new Set<Promise<void>>();
    while (!stop.signal.aborted) {
      const sent = send(gateway, caller).then((status) => {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        inFlight.delete(sent);
      });
      inFlight.add(sent);
      await delay((2_000 / perSecond) * Math.random());
    }
    await Promise.all(inFlight);
  }

  return {
    statuses,
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
