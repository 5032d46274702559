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

/** Where log lines go, in the background: a slow reader of stdout does not hold requests up. */
export async function openLogDestination(isPretty: boolean): Promise<DestinationStream> {
  if (!isPretty) return pino.destination({ dest: 1, sync: false, ...buffered });
  const { default: pretty } = await import('pino-pretty'); // only people pay for it
  return pretty({ sync: true });
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
