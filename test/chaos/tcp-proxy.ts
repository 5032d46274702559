import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A connection between two processes that can be cut. */
export interface TcpProxy extends AsyncDisposable {
  port: number;
  /** From now on, no bytes pass in either direction. No side gets an error. */
  cut(): void;
  /** Forwards again, including what was sent meanwhile; or resets all connections. */
  restore(how: 'deliver' | 'reset'): void;
}

/** Receives what a client sends, and decides what is forwarded to the server and when. */
export type Intercept = (ends: Ends) => (chunk: Buffer) => void;

/** The two ends of one connection. */
export interface Ends {
  toServer(bytes: Buffer): void;
  toClient(bytes: Buffer): void;
  /** Delays the answer of the server until the promise resolves. */
  delayAnswer(until: () => Promise<void>): void;
}

const forwardAll: Intercept = (ends) => (chunk) => ends.toServer(chunk);

/** Opens a proxy to a local port. It forwards bytes, ends and resets. */
export async function openTcpProxy(
  toPort: number,
  intercept: Intercept = forwardAll,
): Promise<TcpProxy> {
  let isCut = false;
  const connections = new Set<{ client: Socket; server: Socket }>();

  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    const server = connect({ port: toPort, host: '127.0.0.1', allowHalfOpen: true });
    const connection = { client, server };
    connections.add(connection);
    let hold: (() => Promise<void>) | undefined;
    const read = intercept({
      toServer: (bytes) => void (server.writable && server.write(bytes)),
      toClient: (bytes) => void (client.writable && client.write(bytes)),
      delayAnswer: (until) => {
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
        if (!isCut) server.resume();
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
        if (client.destroyed && server.destroyed) connections.delete(connection);
      });
    };
    endBoth(client, server);
    endBoth(server, client);
    if (isCut) server.pause();
    else client.resume();
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');

  return {
    port: (listener.address() as AddressInfo).port,
    cut() {
      isCut = true;
      for (const { client, server } of connections) {
        client.pause();
        server.pause();
      }
    },
    restore(how) {
      isCut = false;
      for (const { client, server } of connections) {
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
      for (const { client, server } of connections) {
        client.destroy();
        server.destroy();
      }
      await closed;
    },
  };
}
