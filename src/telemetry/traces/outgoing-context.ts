import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { writeTraceParent } from './trace-parent.ts';
import type { Tracing } from './tracing.ts';

const channel = 'http.client.request.created';

/**
 * Adds traceparent to requests to AWS, for proxies on the way that continue traces. AWS ignores it. It is
 * added after the signature and is not part of it.
 */
export function sendContextToAws({ activeContext }: Tracing): Disposable {
  const addHeader = (message: unknown) => {
    const { request } = message as { request: ClientRequest };
    const context = activeContext();
    const isToAws = String(request.getHeader('authorization')).startsWith('AWS4-HMAC-SHA256 ');
    if (context && isToAws) request.setHeader('traceparent', writeTraceParent(context));
  };
  subscribe(channel, addHeader);
  return { [Symbol.dispose]: () => void unsubscribe(channel, addHeader) };
}
