import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

/** What is known of the requests of one call. */
interface Sending {
  /** Whether a connection was ready for any of them, so that a byte may have left. */
  mayHaveLeft: boolean;
}

// Node tells of each request it makes, in the context of who made it. So it does not matter which
// agent or proxy is in between, nor what the error is named that ends the call.
const sending = new AsyncLocalStorage<Sending>();
subscribe('http.client.request.created', (message) => {
  const call = sending.getStore();
  const { request } = message as { request: ClientRequest };
  // Neither what asks for credentials on the way, nor the CONNECT to a proxy.
  if (!call || request.getHeader('x-amz-target') === undefined) return;
  const note = () => {
    call.mayHaveLeft = true;
  };
  request.once('socket', (socket: Socket & { secureConnecting?: boolean }) => {
    if (socket.destroyed) return; // there was not even one to be had
    if (socket.secureConnecting) socket.once('secureConnect', note);
    else if (socket.connecting) socket.once('connect', note);
    else note();
  });
});

const neverLeft = Symbol('no byte of the call has left');

/**
 * Makes a call of the SDK, and marks the error of one of which no byte can have left: there was no
 * name, no route, no free port or file descriptor, no TLS, no proxy that let it through, or nothing
 * was asked for in the first place.
 */
export function markUnsent<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  const known: Sending = { mayHaveLeft: false };
  return sending.run(known, call).catch((error: object) => {
    throw known.mayHaveLeft ? error : Object.assign(error, { [neverLeft]: true });
  });
}

/** Whether provably no byte of a failed call has left. */
export function isUnsent(error: unknown): boolean {
  return (error as { [neverLeft]?: true })[neverLeft] === true;
}
