import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { type DestinationStream, type Logger, pino } from 'pino';

import { activeSpan, type SpanIds } from './active-span.ts';
import { withoutSecrets } from './without-secrets.ts';

/** The most characters of a caller's text in a log line. */
export const maxLoggedTextLength = 256;

/**
 * The most bytes of one write to stdout. A longer write may be split when the pipe is full, and lines of
 * log and audit would mix (PIPE_BUF).
 */
export const atomicWriteBytes = 4_096;

// Under load, one write contains many lines; otherwise a line is up to 0.05 s late.
const buffered = { minLength: 3_500, maxWrite: atomicWriteBytes, periodicFlush: 50 };

/** A stream that writes lines in the background. */
type LogSink = ReturnType<typeof pino.destination> & { destroyed?: boolean; fd?: number };

/**
 * Ends a destination when everything is written, and returns whether it is. If nothing can be written for
 * `stallMs`, the rest is lost: otherwise Node would write it at exit, and block forever on a reader that
 * does not read or on a full disk.
 */
export async function endDestination(destination: LogSink, stallMs: number): Promise<boolean> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(), stallMs);
  destination.on('write', () => void timer.refresh());
  const written = once(destination, 'close', { signal: stalled.signal }).then(
    () => true,
    () => false,
  );
  if (!destination.destroyed) destination.end();
  await written;
  clearTimeout(timer);
  if (!destination.destroyed) destination.destroy();
  if (!(await written)) drainPipe(destination);
  return written;
}

/**
 * Reads from a full pipe in place of its reader. A pending write blocks a thread, and Node waits for its
 * threads at exit. A destination that is not a pipe has no pending write, or cannot be opened.
 */
function drainPipe({ fd }: LogSink): void {
  try {
    const pipe = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
    readSync(pipe, Buffer.alloc(2 * atomicWriteBytes));
    closeSync(pipe);
  } catch {}
}

/** The destination of log lines. */
export interface LogDestination extends DestinationStream {
  /** Writes the remaining lines, as long as they are read. The last step of a process. */
  close(): Promise<void>;
}

// Lower: a busy log collector loses the last lines. Higher: the ten seconds until the exit are over.
const defaultStallMs = 300;

/**
 * Opens the destination of log lines. It writes in the background, so a slow reader of stdout blocks no request. At
 * its end it waits for a reader that reads nothing for `stallMs`.
 */
export async function openLogDestination(
  isPretty: boolean,
  stallMs = defaultStallMs,
): Promise<LogDestination> {
  if (isPretty) {
    const { default: pretty } = await import('pino-pretty'); // loaded on demand
    return Object.assign(pretty({ sync: true }), { close: async () => {} });
  }
  const destination: LogSink = pino.destination({ dest: 1, sync: false, ...buffered });
  let isClosed = false;
  return {
    write: (line) => void (isClosed || destination.write(line)),
    async close() {
      isClosed = true;
      await endDestination(destination, stallMs);
    },
  };
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
