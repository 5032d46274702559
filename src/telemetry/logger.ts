import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { type DestinationStream, type Logger, pino } from 'pino';

import { withoutSecrets } from './without-secrets.ts';

/** Longest text of a log line that a caller decides on, in characters. */
export const longestLoggedText = 256;

/**
 * Most bytes to write to stdout at once. What is longer may be torn when the pipe is full, and what
 * the other of log and audit writes comes in between (PIPE_BUF).
 */
export const writtenWholeBytes = 4_096;

// Under load one write takes many lines; otherwise a line is a twentieth of a second late.
const buffered = { minLength: 3_500, maxWrite: writtenWholeBytes, periodicFlush: 50 };

/** Where lines are written in the background. */
type LogSink = ReturnType<typeof pino.destination> & { destroyed?: boolean; fd?: number };

/**
 * Ends a destination when everything is written. When nothing is taken for `stallMs`, what is left is
 * lost: it would otherwise be written when the process exits, and for a reader that does not read, or a
 * disk that is full, that takes for ever. Says whether everything is written.
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
  if (!(await written)) takeBack(destination);
  return written;
}

/**
 * Reads from a pipe in place of its reader. A write to a full pipe that has begun holds a thread, and
 * Node waits for its threads when it exits. What is no pipe has no such write, or cannot be opened.
 */
function takeBack({ fd }: LogSink): void {
  try {
    const pipe = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
    readSync(pipe, Buffer.alloc(2 * writtenWholeBytes));
    closeSync(pipe);
  } catch {}
}

/** Where log lines go. */
export interface LogDestination extends DestinationStream {
  /** The last act of a process: writes what is left, as long as somebody takes it. */
  close(): Promise<void>;
}

// Longer, and the ten seconds until the exit are over; shorter, and a busy collector loses last lines.
const stallMs = 300;

/** Opens where log lines go, in the background: a slow reader of stdout does not hold requests up. */
export async function openLogDestination(isPretty: boolean): Promise<LogDestination> {
  if (isPretty) {
    const { default: pretty } = await import('pino-pretty'); // only people pay for it
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

/** Makes the logger: JSON lines to `destination`, from `level` on. */
export function makeLogger(level: string, destination: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null, // the container's name and host are the platform's business
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
      serializers: { err: (facts) => facts }, // withoutSecrets has made them of the error
    },
    destination,
  );
}
