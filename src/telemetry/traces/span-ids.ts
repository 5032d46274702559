import { createHash } from 'node:crypto';
import { type IdGenerator, RandomIdGenerator } from '@opentelemetry/sdk-trace';

import type { SpanIds } from '../active-span.ts';

/** Ids of new spans: random, unless a span must have certain ones. */
export interface SpanIdSource extends IdGenerator {
  /** Calls `act`. A span that it starts gets these ids. */
  use<Result>(ids: SpanIds, act: () => Result): Result;
}

/** Makes the source of ids. */
export function makeSpanIdSource(): SpanIdSource {
  const random = new RandomIdGenerator();
  let given: SpanIds | undefined;
  return {
    generateTraceId: () => given?.traceId ?? random.generateTraceId(),
    generateSpanId: () => given?.spanId ?? random.generateSpanId(),
    use(ids, act) {
      given = ids;
      try {
        return act();
      } finally {
        given = undefined;
      }
    },
  };
}

/**
 * The ids of the span of an attempt. They follow from its marker, which is unique. So each replica that
 * works on the attempt knows them, also after a restart.
 */
export function idsOfAttempt(marker: string): SpanIds {
  const digits = createHash('sha256').update(marker).digest('hex');
  return { traceId: digits.slice(0, 32), spanId: digits.slice(32, 48) };
}
