import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

import { httpRequests, requestStarts, type StartedRequest } from '#diagnostics/http-requests.ts';
import { activeSpan } from '../../active-span.ts';
import { readTraceParent, writeTraceParent } from '../trace-parent.ts';
import type { Tracing } from '../tracing.ts';

/** Makes a span of each request. It has no path and no query: they may contain personal data. */
export function traceRequests({ tracer }: Tracing): Disposable {
  const spans = new WeakMap<StartedRequest, Span>();
  const subscriptions = new DisposableStack();

  subscriptions.defer(
    requestStarts.bind(activeSpan, (request) => {
      // A probe comes every few seconds, and says nothing.
      if (request.route?.startsWith('/health/')) return undefined;
      const { method, route } = request;
      const caller = readTraceParent(request.callerTrace.parent, request.callerTrace.state);
      const span = tracer.startSpan(
        route === undefined ? method : `${method} ${route}`,
        {
          kind: SpanKind.SERVER,
          attributes: {
            'http.request.method': method,
            'http.route': route,
            'url.scheme': request.scheme,
          },
        },
        caller ? trace.setSpanContext(ROOT_CONTEXT, { ...caller, isRemote: true }) : ROOT_CONTEXT,
      );
      spans.set(request, span);
      request.traceParent = writeTraceParent(span.spanContext());
      return span.spanContext();
    }),
  );
  subscriptions.defer(
    httpRequests.subscribe(({ start, status, problem }) => {
      const span = spans.get(start);
      if (!span) return;
      if (status !== undefined) span.setAttribute('http.response.status_code', status);
      if (status === undefined || status >= 500) {
        span.setAttribute(
          'error.type',
          problem ?? (status === undefined ? 'aborted' : `${status}`),
        );
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    }),
  );
  return subscriptions;
}
