import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

import { toErrorFacts } from './error-facts.ts';

// Whatever is logged, these members never are, down to the third level.
const secretMembers = [
  'authorization',
  'cookie',
  'x-api-key',
  'password',
  'token',
  'accessKeyId',
  'secretAccessKey',
  'sessionToken',
  'externalId',
  'AccessKeyId',
  'SecretAccessKey',
  'SessionToken',
  'ExternalId',
];
const redactedPaths = secretMembers.flatMap((name) => [
  `["${name}"]`,
  `*["${name}"]`,
  `*.*["${name}"]`,
]);

/** Longest text of a log line that a caller decides on, in characters. */
export const longestLoggedText = 256;

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
    (isPretty ? pretty({ sync: true }) : pino.destination({ dest: 1, sync: false }));
  return pino(
    {
      level,
      base: null, // the container's name and host are the platform's business
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redactedPaths, censor: '[redacted]' },
      serializers: { err: (error: unknown) => toErrorFacts(error) },
    },
    destination,
  );
}
