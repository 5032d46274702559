import { createTraceState, type SpanContext } from '@opentelemetry/api';

// W3C Trace Context: version, trace id, span id, flags. Version 00 has nothing else, later versions may.
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const formLength = 55;
const sampled = 1;

/**
 * Reads the headers traceparent and tracestate. Returns undefined if traceparent is malformed: then the
 * trace of the caller is unknown.
 */
export function readTraceParent(text = '', state = ''): SpanContext | undefined {
  const [, version, traceId = '', spanId = '', flags = ''] =
    form.exec(text.slice(0, formLength)) ?? [];
  const rest = text.slice(formLength);
  const isKnownForm = rest === '' || (version !== '00' && rest.startsWith('-'));
  const isForbidden = version === undefined || version === 'ff';
  if (isForbidden || !isKnownForm || isZero(traceId) || isZero(spanId)) return undefined;
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & sampled, // the only flag with a meaning for us
    ...(state && { traceState: createTraceState(state) }),
  };
}

/** Writes a span as the header traceparent: 55 characters. */
export function writeTraceParent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${traceFlags & sampled}`;
}

const isZero = (id: string) => !/[^0]/.test(id);
