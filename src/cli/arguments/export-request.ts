import { createHash } from 'node:crypto';

import type { CommandOptions, GivenWords } from '../command.ts';
import { makeUsageError } from '../exit-codes.ts';
import { inUtcText, readTime } from './read-time.ts';

/** The option of the target. */
export const targetOption = {
  target: { value: 'NAME', description: 'The target. Default: the first one of the gateway.' },
} satisfies CommandOptions;

/** The options of a time range. */
export const timeRangeOptions = {
  from: { value: 'TIME', description: 'Start of the time range, inclusive.' },
  to: { value: 'TIME', description: 'End of the time range, exclusive.' },
  'time-zone': { value: 'ZONE', description: 'IANA time zone of days. Default: UTC.' },
} satisfies CommandOptions;

/** The options that say what is exported, and where to. */
export const exportOptions = {
  from: timeRangeOptions.from,
  to: timeRangeOptions.to,
  destination: { value: 'BUCKET', description: 'The S3 bucket.' },
  'destination-prefix': { value: 'PREFIX', description: 'Template of the key prefix.' },
  'log-group-prefix': {
    value: 'PREFIX',
    description: 'Export all log groups that begin with this, instead of named ones.',
  },
  'log-stream-prefix': {
    value: 'PREFIX',
    description: 'Export only log streams that begin with this.',
  },
  'time-zone': { value: 'ZONE', description: 'IANA time zone of days and slices. Default: UTC.' },
  target: targetOption.target,
} satisfies CommandOptions;

/** The further options of a job. */
export const jobOptions = {
  'slice-by': {
    value: 'UNIT',
    description: 'Split the time range by this unit. Default: none.',
    choices: ['none', '15-minutes', 'hour', 'day', 'week', 'month'],
  },
  name: { value: 'TEXT', description: 'A name for the job, for people.' },
  priority: { value: 'NUMBER', description: 'From -10 to 10. Default: 0.' },
  verification: {
    value: 'MODE',
    description: 'How each export is verified.',
    choices: ['off', 'objects', 'count'],
  },
  'allow-unsettled': { description: 'Do not wait 12 hours for late log events.' },
} satisfies CommandOptions;

/** What a request exports: the body, and its time range for people. */
export interface ExportRequest {
  target: string | undefined;
  body: Record<string, unknown>;
  /** The time range in UTC. */
  timeRange: string;
}

/** The time zone of the words. */
const timeZoneOf = (given: GivenWords): string => given.text('time-zone') ?? 'UTC';

/** Reads a required option. @throws CommandError of exit code 2 */
function requireText(given: GivenWords, name: string): string {
  const text = given.text(name);
  if (text === undefined) throw makeUsageError(`--${name} is missing.`);
  return text;
}

/** Reads the time range, as RFC 3339 in UTC. @throws CommandError of exit code 2 */
export function readTimeRange(given: GivenWords, now: number): { from: string; to: string } {
  const reading = { now, timeZone: timeZoneOf(given) };
  const from = readTime('from', requireText(given, 'from'), reading);
  const to = readTime('to', requireText(given, 'to'), reading);
  if (from >= to) {
    const texts = `--from is ${inUtcText(from)} and --to is ${inUtcText(to)}`;
    throw makeUsageError(`The time range is empty: ${texts}.`);
  }
  return { from: inUtcText(from), to: inUtcText(to) };
}

/** Reads what to export. Times are resolved here, before anything is sent. @throws CommandError of exit code 2 */
export function readExportRequest(given: GivenWords, now: number): ExportRequest {
  const prefix = given.text('log-group-prefix');
  const names = [...new Set(given.operands)].sort();
  if ((prefix === undefined) === (names.length === 0)) {
    throw makeUsageError('Give names of log groups, or --log-group-prefix.');
  }
  const { from, to } = readTimeRange(given, now);
  const body = {
    ...(names.length > 0 && { logGroupNames: names }),
    ...withText(given, 'logGroupNamePrefix', 'log-group-prefix'),
    ...withText(given, 'logStreamNamePrefix', 'log-stream-prefix'),
    from,
    to,
    destination: requireText(given, 'destination'),
    ...withText(given, 'destinationPrefix', 'destination-prefix'),
  };
  return { target: given.text('target'), body, timeRange: `${from} to ${to}` };
}

/** Reads a whole job. @throws CommandError of exit code 2 */
export function readJobRequest(given: GivenWords, now: number): ExportRequest {
  const request = readExportRequest(given, now);
  const priority = given.text('priority');
  const body = {
    ...withText(given, 'name', 'name'),
    ...request.body,
    ...withText(given, 'sliceBy', 'slice-by'),
    ...withText(given, 'timeZone', 'time-zone'),
    ...(priority !== undefined && { priority: readInteger('priority', priority) }),
    ...withText(given, 'verification', 'verification'),
    ...(given.isGiven('allow-unsettled') && { allowUnsettled: true }),
  };
  return { ...request, body };
}

/** Derives the key of a request: the same resolved arguments have the same key. */
export function deriveIdempotencyKey({ target, body }: ExportRequest): string {
  const text = JSON.stringify({ target, body });
  return `cli-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

function withText(given: GivenWords, member: string, option: string): Record<string, string> {
  const text = given.text(option);
  return text === undefined ? {} : { [member]: text };
}

function readInteger(option: string, text: string): number {
  if (!/^-?\d{1,9}$/.test(text))
    throw makeUsageError(`--${option} "${text}" is not a whole number.`);
  return Number(text);
}
