import type { IHttpRequest } from '@smithy/core/protocols';

import type { AwsTimeouts } from '../client/timeouts.ts';
import { type HttpAnswer, type HttpConnection, useSocket } from './http-connection.ts';
import { makeSharedTls, type Origin, openSocket } from './open-socket.ts';

/** How one request is sent. */
export interface SendOptions {
  /** Asked just before the first byte. If it returns false, nothing is sent. */
  maySend: () => boolean;
  /** Aborts when the time of the call is over. */
  signal: AbortSignal;
}

/** Connections for calls that must not be sent twice. */
export interface CreateConnections {
  /** Sends a request once and resolves with its answer. It never sends again. */
  send(request: IHttpRequest, options: SendOptions): Promise<HttpAnswer>;
  destroy(): void;
}

/**
 * How long a connection may be idle and still carry a create. CloudWatch Logs closes an idle connection
 * after 6 seconds, says the debugging guide of AWS for Fluent Bit. Longer: its end may already be on the
 * way when the next create is written, and the outcome of that create is unknown. Shorter: more creates
 * wait for a TLS handshake.
 */
const maxIdleMs = 2_000;

interface IdleConnection {
  connection: HttpConnection;
  since: number;
}

/** Makes a pool of connections to one origin. `elapsed` is a clock that only goes forward, in milliseconds. */
export function makeConnectionPool(
  origin: Origin,
  { timeouts, elapsed }: { timeouts: AwsTimeouts; elapsed: () => number },
): CreateConnections {
  const tls = makeSharedTls(origin);
  const idle: IdleConnection[] = [];
  const inUse = new Set<HttpConnection>();

  const isUsable = ({ connection, since }: IdleConnection) =>
    connection.isUsable() && elapsed() - since < maxIdleMs;

  /** Returns a connection that can be written to in this turn of the event loop. */
  async function connect(signal: AbortSignal): Promise<HttpConnection> {
    for (let last = idle.pop(); last; last = idle.pop()) {
      if (isUsable(last)) await readPendingEvents();
      if (isUsable(last)) return last.connection;
      last.connection.close();
    }
    return useSocket(await openSocket(origin, { tls, timeouts, signal }), timeouts.createMs);
  }

  function release(connection: HttpConnection): void {
    inUse.delete(connection);
    if (!connection.isUsable()) return;
    connection.closeWhenIdle(maxIdleMs);
    idle.push({ connection, since: elapsed() });
  }

  return {
    async send(request, { maySend, signal }) {
      const connection = await connect(signal);
      inUse.add(connection);
      try {
        signal.throwIfAborted();
        if (!maySend()) throw new Error('the call is no longer allowed');
        return await connection.exchange(request, signal);
      } finally {
        release(connection);
      }
    },
    destroy() {
      for (const connection of inUse) connection.close();
      for (const { connection } of idle.splice(0)) connection.close();
    },
  };
}

/**
 * Waits until the event loop has read from all sockets once. So the end or the reset of a connection that
 * has arrived by now is known afterwards. The first callback may run in the current turn, the second one
 * runs after the next poll.
 */
function readPendingEvents(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
