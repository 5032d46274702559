import { AsyncLocalStorage } from 'node:async_hooks';

/** The ids of a span, as W3C Trace Context has them. */
export interface SpanIds {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
}

/** The span that the running code belongs to. Always empty without traces. */
export const activeSpan = new AsyncLocalStorage<SpanIds | undefined>();
