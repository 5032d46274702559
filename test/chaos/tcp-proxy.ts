import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A wire between two processes that can go dead. */
export interface TcpProxy extends AsyncDisposable {
  port: number;
  /** From now on nothing passes, either way, and nobody is told. */
  goDead(): void;
  /** Passes everything again, also what was sent meanwhile; or resets what was connected. */
  revive(how: 'deliver' | 'reset'): void;
}

/** Sees what a client sends before the other side does, and decides what is passed on and when. */
export type Intercept = (pass: Pass) => (chunk: Buffer) => void;

/** The two ends of one connection. */
export interface Pass {
  toServer(bytes: Buffer): void;
  toClient(bytes: Buffer): void;
  /** Keeps back what the server answers until the promise resolves. */
  holdAnswer(until: () => Promise<void>): void;
}

const straight: Intercept = (pass) => (chunk) => pass.toServer(chunk);

/** Opens a proxy to a port of this machine. It passes on bytes, ends and resets alike. */
export async function openTcpProxy(
  toPort: number,
  intercept: Intercept = straight,
): Promise<TcpProxy> {
  let isDead = false;
  const wires = new Set<{ client: Socket; server: Socket }>();

  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    const server = connect({ port: toPort, host: '127.0.0.1', allowHalfOpen: true });
    const wire = { client, server };
    wires.add(wire);
    let hold: (() => Promise<void>) | undefined;
    const read = intercept({
      toServer: (bytes) => void (server.writable && server.write(bytes)),
      toClient: (bytes) => void (client.writable && client.write(bytes)),
      holdAnswer: (until) => {
        hold = until;
      },
    });

    client.on('data', read);
    client.on('end', () => server.end());
    server.on('data', (chunk) => {
      if (!hold) return void client.write(chunk);
      const until = hold;
      hold = undefined;
      server.pause();
      until().then(() => {
        if (client.writable) client.write(chunk);
        if (!isDead) server.resume();
      });
    });
    server.on('end', () => client.end());
    const endBoth = (mine: Socket, other: Socket) => {
      let hasFailed = false;
      mine.on('error', () => {
        hasFailed = true;
      });
      mine.on('close', () => {
        if (hasFailed) other.resetAndDestroy();
        if (client.destroyed && server.destroyed) wires.delete(wire);
      });
    };
    endBoth(client, server);
    endBoth(server, client);
    if (isDead) server.pause();
    else client.resume();
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');

  return {
    port: (listener.address() as AddressInfo).port,
    goDead() {
      isDead = true;
      for (const { client, server } of wires) {
        client.pause();
        server.pause();
      }
    },
    revive(how) {
      isDead = false;
      for (const { client, server } of wires) {
        if (how === 'reset') {
          client.resetAndDestroy();
          server.resetAndDestroy();
        } else {
          client.resume();
          server.resume();
        }
      }
    },
    async [Symbol.asyncDispose]() {
      const closed = once(listener, 'close');
      listener.close();
      for (const { client, server } of wires) {
        client.destroy();
        server.destroy();
      }
      await closed;
    },
  };
}
