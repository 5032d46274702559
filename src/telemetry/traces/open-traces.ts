import type { SpanContext } from '@opentelemetry/api';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { TracerProvider } from '@opentelemetry/sdk-trace';

import { activeSpan } from '../active-span.ts';
import type { Log } from '../log.ts';
import { sendContextToAws } from './outgoing-context.ts';
import { makeSampler, type Sampling } from './sampler.ts';
import { makeSpanIdSource } from './span-ids.ts';
import { openSpanSender } from './span-sender.ts';
import { traceAttempts } from './subjects/attempts.ts';
import { traceAwsCalls } from './subjects/aws-calls.ts';
import { traceRequests } from './subjects/requests.ts';
import type { Tracing } from './tracing.ts';

/** What traces depend on. */
export interface TracesOptions extends Sampling {
  serviceName: string;
  serviceVersion: string;
  /** Identifies this process. */
  instanceId: string;
  now: () => number;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  log: Log;
}

/**
 * Makes traces of requests, attempts and their calls to AWS, and sends them to the receiver of
 * OTEL_EXPORTER_OTLP_ENDPOINT. Nothing is registered with OpenTelemetry for the whole process.
 */
export function openTraces(options: TracesOptions): AsyncDisposable {
  const { serviceName, serviceVersion, instanceId, now, elapsed, log } = options;
  const ids = makeSpanIdSource();
  const sampler = makeSampler(options, elapsed);
  const provider = new TracerProvider({
    sampler,
    idGenerator: ids,
    spanProcessors: [openSpanSender(log, { now, elapsed })],
    resource: defaultResource()
      .merge(detectResources({ detectors: [resourceAttributesEnvDetector] }))
      .merge(
        resourceFromAttributes({
          'service.name': serviceName,
          'service.version': serviceVersion,
          'service.instance.id': instanceId,
        }),
      ),
  });
  const tracing: Tracing = {
    tracer: provider.getTracer(serviceName, serviceVersion),
    sampler,
    ids,
    // Only listeners of this room set it, and always to the context of a span.
    activeContext: () => activeSpan.getStore() as SpanContext | undefined,
    now,
  };
  const kinds = [traceRequests, traceAwsCalls, traceAttempts, sendContextToAws];
  const listeners = kinds.map((listen) => listen(tracing));
  return {
    async [Symbol.asyncDispose]() {
      for (const listener of listeners) listener[Symbol.dispose]();
      await provider.shutdown();
    },
  };
}
