import type { SpanContext, Tracer } from '@opentelemetry/api';
import type { Sampler } from '@opentelemetry/sdk-trace';

import type { SpanIdSource } from './span-ids.ts';

/** What makes spans. */
export interface Tracing {
  tracer: Tracer;
  sampler: Sampler;
  ids: SpanIdSource;
  /** The active span; undefined outside of requests and attempts. */
  activeContext: () => SpanContext | undefined;
  /** The time in epoch ms. */
  now: () => number;
}
