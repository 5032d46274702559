import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A load balancer in front of gateways. It sends no request twice. */
export interface Balancer extends AsyncDisposable {
  url: string;
  add(url: string): void;
  remove(url: string): void;
}

/** A gateway, and whether its last readiness probe was answered with 200. */
interface Backend {
  url: string;
  isReady: boolean;
  agent: Agent;
}

const probeEveryMs = 250;
const keepAliveMs = 600_000;

/** Opens a balancer that takes turns among the ready gateways, and keeps its connections to them. */
export async function openBalancer(): Promise<Balancer> {
  const backends = new Map<string, Backend>();
  const stopping = new AbortController();
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const ready = [...backends.values()].filter(({ isReady }) => isReady);
    turn += 1;
    const backend = ready[turn % ready.length];
    if (!backend) return void outgoing.writeHead(502).end();
    const { method, headers } = incoming;
    const options = { method, headers, agent: backend.agent };
    const passed = request(new URL(incoming.url ?? '/', backend.url), options, (answer) => {
      const { connection: _hop, ...kept } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, kept);
      answer.pipe(outgoing);
    });
    passed.on('error', () =>
      outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end(),
    );
    incoming.pipe(passed);
  }).listen(0, '127.0.0.1');
  // Shorter than a pause of the load: a request can arrive at a connection that is being closed.
  server.keepAliveTimeout = keepAliveMs;
  await once(server, 'listening');

  async function probe(backend: Backend): Promise<void> {
    while (!stopping.signal.aborted && backends.get(backend.url) === backend) {
      const answer = await fetch(new URL('/health/ready', backend.url)).catch(() => undefined);
      await answer?.body?.cancel();
      backend.isReady = answer?.status === 200;
      await delay(probeEveryMs);
    }
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add(url) {
      const backend = { url, isReady: false, agent: new Agent({ keepAlive: true }) };
      backends.set(url, backend);
      void probe(backend);
    },
    remove(url) {
      backends.get(url)?.agent.destroy();
      backends.delete(url);
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      server.close();
      server.closeAllConnections();
      for (const { agent } of backends.values()) agent.destroy();
    },
  };
}
