import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

import { withoutSecrets } from './without-secrets.ts';

/** Longest text of a log line that a caller decides on, in characters. */
export const longestLoggedText = 256;

// Under load one write takes many lines; otherwise a line is a twentieth of a second late.
const buffered = { minLength: 4_096, periodicFlush: 50 };

/**
 * Makes the logger: JSON lines, or lines for people. `destination` is where they go; lines are
 * written in the background, so a slow reader of stdout does not hold requests up.
 */
export function makeLogger(options: {
  level: string;
  isPretty: boolean;
  destination?: DestinationStream;
}): Logger {
  const { level, isPretty } = options;
  const destination =
    options.destination ??
    (isPretty ? pretty({ sync: true }) : pino.destination({ dest: 1, sync: false, ...buffered }));
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
