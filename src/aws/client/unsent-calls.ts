import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

/** The state of the requests of one call. */
interface CallState {
  /** Whether any of them had a connection, so that a byte may have been sent. */
  mayBeSent: boolean;
}

// Node publishes each request in the async context of its caller. So this works with any agent or
// proxy, and whatever the error is named.
const calls = new AsyncLocalStorage<CallState>();
subscribe('http.client.request.created', (message) => {
  const call = calls.getStore();
  const { request } = message as { request: ClientRequest };
  if (!call || !isSignedForCall(request)) return;
  const markSent = () => {
    call.mayBeSent = true;
  };
  request.once('socket', (socket: Socket & { secureConnecting?: boolean }) => {
    if (socket.destroyed) return; // there was no connection
    if (socket.secureConnecting) socket.once('secureConnect', markSent);
    else if (socket.connecting) socket.once('connect', markSent);
    else markSent();
  });
});

/** Whether it is not a request for credentials, nor the CONNECT to a proxy. */
function isSignedForCall(request: ClientRequest): boolean {
  const signature = String(request.getHeader('authorization') ?? '');
  return signature.includes('/aws4_request') && !signature.includes('/sts/aws4_request');
}

const unsent = Symbol('no byte of the call was sent');

/**
 * Makes a call of the SDK. Marks its error when no byte can have been sent: the name, the route, the
 * port, the file descriptor, TLS or the proxy failed, or no request was made at all.
 */
export function markUnsent<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  const state: CallState = { mayBeSent: false };
  return calls.run(state, call).catch((error: object) => {
    throw state.mayBeSent ? error : Object.assign(error, { [unsent]: true });
  });
}

/** Whether it is certain that no byte of a failed call was sent. */
export function isUnsent(error: unknown): boolean {
  return (error as { [unsent]?: true })[unsent] === true;
}
