import { type DestinationStream, type Logger, pino } from 'pino';

import { activeSpan, type SpanIds } from './active-span.ts';
import { type LineSink, openLineSink, openStdout } from './line-sink.ts';
import { withoutSecrets } from './without-secrets.ts';

/** The most characters of a caller's text in a log line. */
export const maxLoggedTextLength = 256;

// Under load, one write contains many lines; otherwise a line is up to 0.05 s late.
const buffering = { minLength: 3_500, periodicFlush: 50 };
// Lower: a busy log collector loses the last lines. Higher: the ten seconds until the exit are over.
const defaultStallMs = 300;

/**
 * Opens the destination of log lines, stdout. It writes in the background, and reports its own lost lines. At its
 * end it waits for a reader that reads nothing for `stallMs`.
 */
export async function openLogDestination(
  isPretty: boolean,
  stallMs = defaultStallMs,
): Promise<LineSink> {
  if (isPretty) {
    const { default: pretty } = await import('pino-pretty'); // loaded on demand
    return Object.assign(pretty({ sync: true }), { close: async () => {} });
  }
  const sink: LineSink = openLineSink({
    output: 'log',
    fd: openStdout(),
    log: makeLogger('info', { write: (line) => sink.write(line) }),
    stallMs,
    ...buffering,
  });
  return sink;
}

/**
 * Makes the logger: it writes JSON lines of `level` and above to `destination`. A line about a problem links
 * to its page, below `basePath`.
 */
export function makeLogger(level: string, destination: DestinationStream, basePath = ''): Logger {
  function toLine(facts: Record<string, unknown>): Record<string, unknown> {
    const { problem } = facts;
    if (typeof problem !== 'string') return withoutSecrets(facts);
    return { ...withoutSecrets(facts), help: `${basePath}/problems/${problem}` };
  }
  return pino(
    {
      level,
      mixin: idsOfActiveSpan,
      base: null, // the platform adds container and host
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: toLine },
      serializers: { err: (facts) => facts }, // withoutSecrets has already converted the error
    },
    destination,
  );
}

/** A line that is written for a request or an attempt has the ids of its span. */
function idsOfActiveSpan(): Partial<SpanIds> {
  const span = activeSpan.getStore();
  return span ? { traceId: span.traceId, spanId: span.spanId } : {}; // a new object: pino adds to it
}
