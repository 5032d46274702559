import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';

/** How traces are sampled, by the names of OpenTelemetry. */
export interface Sampling {
  sampler: `${'' | 'parentbased_'}${'always_on' | 'always_off' | 'traceidratio'}`;
  /** The share of new traces that a sampler with `traceidratio` records, from 0 to 1. */
  ratio: number;
}

/**
 * The most traces that callers can have recorded in a second by the flag of their traceparent. Lower: a
 * caller that samples by itself misses spans of ours. Higher: any caller can fill the receiver with spans.
 */
export const maxRequestedTraces = 10;

/** Makes the sampler. `elapsed` is a clock that only goes forward, in milliseconds. */
export function makeSampler({ sampler, ratio }: Sampling, elapsed: () => number): Sampler {
  const root = makeRootSampler(sampler, ratio);
  if (!sampler.startsWith('parentbased_')) return root;
  const remoteParentSampled = limitRequested(root, elapsed);
  return followLink(new ParentBasedSampler({ root, remoteParentSampled }));
}

function makeRootSampler(sampler: Sampling['sampler'], ratio: number): Sampler {
  if (sampler.endsWith('always_on')) return new AlwaysOnSampler();
  if (sampler.endsWith('always_off')) return new AlwaysOffSampler();
  return new TraceIdRatioBasedSampler(ratio);
}

/** Records what callers ask for, up to a limit. Beyond it, `otherwise` decides. */
function limitRequested(otherwise: Sampler, elapsed: () => number): Sampler {
  const recorded = new AlwaysOnSampler();
  let second = Number.NEGATIVE_INFINITY;
  let requested = 0;
  return {
    shouldSample(...question) {
      const now = Math.floor(elapsed() / 1_000);
      if (now !== second) {
        second = now;
        requested = 0;
      }
      requested += 1;
      const isAllowed = requested <= maxRequestedTraces;
      return (isAllowed ? recorded : otherwise).shouldSample(...question);
    },
    toString: () => 'RequestedTraces',
  };
}

/** Records a trace that is linked to another one if the other one is recorded. */
function followLink(sampler: Sampler): Sampler {
  return {
    shouldSample(context, traceId, name, kind, attributes, links) {
      const [link] = links;
      const parent = link ? trace.setSpanContext(ROOT_CONTEXT, link.context) : context;
      return sampler.shouldSample(parent, traceId, name, kind, attributes, links);
    },
    toString: () => 'LinkBased',
  };
}
