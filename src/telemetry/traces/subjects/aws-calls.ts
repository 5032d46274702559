import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

import { awsCallStarts, awsCalls, type StartedAwsCall } from '#diagnostics/aws-calls.ts';
import { activeSpan } from '../../active-span.ts';
import type { Tracing } from '../tracing.ts';

/**
 * Makes a span of each call to AWS that is made for a request or for an attempt. Polls and checks of
 * accounts have none: there are some each second, for ever.
 */
export function traceAwsCalls({ tracer, activeContext }: Tracing): Disposable {
  const spans = new WeakMap<StartedAwsCall, Span>();
  const subscriptions = new DisposableStack();

  subscriptions.defer(
    awsCallStarts.bind(activeSpan, (call) => {
      const parent = activeContext();
      if (!parent) return undefined;
      const span = tracer.startSpan(
        call.method,
        {
          kind: SpanKind.CLIENT,
          attributes: {
            'rpc.system.name': 'aws-api',
            'rpc.method': call.method,
            'cloud.region': call.region,
          },
        },
        trace.setSpanContext(ROOT_CONTEXT, parent),
      );
      spans.set(call, span);
      return span.spanContext();
    }),
  );
  subscriptions.defer(
    awsCalls.subscribe(({ start, errorType, awsRequestId }) => {
      const span = spans.get(start);
      if (!span) return;
      if (awsRequestId !== undefined) span.setAttribute('aws.request_id', awsRequestId);
      if (errorType !== undefined) {
        span.setAttribute('error.type', errorType);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    }),
  );
  return subscriptions;
}
