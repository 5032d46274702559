import type { TargetIdentity } from '#auth/authorization/authorizer.ts';
import { effectivePrefix, withoutEndingSlashes } from '#aws/export-task.ts';
import { s3KeyMaxBytes } from '#export-tasks/export-task.ts';
import { openWallClock } from './calendar/wall-clock.ts';

/** What a template is filled in with, for all slices of a job. */
export interface JobOfPrefix {
  target: TargetIdentity;
  jobId: string;
  /** The IANA name of the time zone of the times in it. */
  timeZone: string;
}

/** What a template is filled in with, for one attempt of one slice. */
interface AttemptOfPrefix {
  logGroupName: string;
  /** The start of the slice, epoch ms. */
  fromAt: number;
  attempt: number;
}

/** A destination prefix with names in braces, read once and filled in for each attempt. */
export interface PrefixTemplate {
  /**
   * In words why AWS could not export a log group under it; `undefined` when it can. It counts, and
   * fills nothing in: a long template and many log groups cost no more than their number.
   */
  faultFor(logGroupName: string): string | undefined;
  /** The destinationPrefix of an attempt: every name in braces filled in, without ending slashes, never empty. */
  render(attempt: AttemptOfPrefix): string;
}

/** The names a template may have in braces. */
const names = [
  ...(['account', 'region', 'target', 'logGroup'] as const),
  ...(['yyyy', 'MM', 'dd', 'HH', 'jobId', 'attempt'] as const),
];
type Name = (typeof names)[number];
const known = names.map((name) => `{${name}}`).join(' ');

/** What the document says of templates. */
export const templateDescription = `Template for the key prefix of the exported objects. Placeholders: ${known}. Each slice gets its own values. The times are the start of the slice in \`timeZone\`. {logGroup} has no leading slash. Slashes at the end of the prefix are removed, because AWS appends \`/<taskId>/<log stream>/000000.gz\`.`;

/**
 * The template when a job has none. No two slices of a job begin in the same hour of its time zone
 * with the same log group; with the job and the attempt beside, what one attempt wrote is never mixed
 * with another's.
 */
export const defaultTemplate =
  '{account}/{region}/{logGroup}/{yyyy}/{MM}/{dd}/{HH}/{jobId}/{attempt}';

const nameOrBrace = /\{([^{}]*)\}|[{}]/g;

/** In words what is wrong with a template; `undefined` when it is good. */
export function faultOf(template: string): string | undefined {
  const faults = [...template.matchAll(nameOrBrace)].flatMap(({ 0: found, 1: name, index }) => {
    if (name === undefined) return [`has an unmatched ${found} at character ${index + 1}`];
    if (isName(name)) return [];
    return [
      `has the unknown placeholder ${found} at character ${index + 1}; known placeholders: ${known}`,
    ];
  });
  if (withoutEndingSlashes(template) === '') faults.push('must not consist of slashes only');
  return faults.length === 0 ? undefined : faults.join('; ');
}

// "/<taskId, 36>/<log stream>/000000.gz" with the shortest name of a log stream. With a longer one
// AWS may still fail; how long they are nobody can know beforehand.
const appendedBytes = 1 + 36 + '/x/000000.gz'.length;
const prefixMaxBytes = s3KeyMaxBytes - appendedBytes;

// More attempts than a slice will ever have, so that a prefix that fits at first goes on fitting.
const longestAttempt = 999_999;

/** Reads a template that has no fault. */
export function readTemplate(template: string, job: JobOfPrefix): PrefixTemplate {
  const { target, jobId, timeZone } = job;
  const clock = openWallClock(timeZone);
  const parts = toParts(template);
  const ofJob = { account: target.accountId, region: target.region, target: target.name, jobId };

  const valuesFor = ({ logGroupName, fromAt, attempt }: AttemptOfPrefix): Record<Name, string> => {
    const time = new Date(clock.localOf(fromAt)).toISOString();
    return {
      ...ofJob,
      logGroup: toLogGroup(logGroupName),
      yyyy: time.slice(0, 4),
      MM: time.slice(5, 7),
      dd: time.slice(8, 10),
      HH: time.slice(11, 13),
      attempt: String(attempt),
    };
  };

  // All but the log group has the same length in every slice.
  const longest = valuesFor({ logGroupName: '', fromAt: 0, attempt: longestAttempt });
  const texts = parts.map((part) => (typeof part === 'string' ? part : longest[part.name]));
  const bytesBeside = Buffer.byteLength(texts.join(''));
  const logGroups = parts.filter((part) => typeof part !== 'string' && part.name === 'logGroup');
  const fillLogGroup = (logGroup: string) =>
    parts
      .map((part, index) =>
        typeof part !== 'string' && part.name === 'logGroup' ? logGroup : texts[index],
      )
      .join('');
  const bare = withoutEndingSlashes(fillLogGroup(''));
  const leavesNamelessFolder = countNameless(bare) > countNameless(fillLogGroup('x'));

  return {
    faultFor(logGroupName) {
      const logGroup = toLogGroup(logGroupName);
      const bytes = bytesBeside + logGroups.length * Buffer.byteLength(logGroup);
      if (bytes > prefixMaxBytes) {
        return `must have at most ${prefixMaxBytes} bytes when filled in, but has ${bytes} for log group ${logGroupName}; AWS appends "/<taskId>/<log stream>/000000.gz", and the limit of an S3 key is ${s3KeyMaxBytes} bytes`;
      }
      if (withoutEndingSlashes(logGroup) !== '') return undefined;
      if (bare === '') {
        return `must not consist of slashes only when filled in, but does for log group ${logGroupName}; put text before {logGroup}`;
      }
      if (leavesNamelessFolder) {
        return `must not have a folder without a name when filled in, but does for log group ${logGroupName}, where {logGroup} is empty; put text before {logGroup}`;
      }
      return undefined;
    },
    render(attempt) {
      const values = valuesFor(attempt);
      const filled = parts.map((part) => (typeof part === 'string' ? part : values[part.name]));
      // AWS puts a slash before the task id. A job of an older version may have an empty prefix.
      return effectivePrefix(withoutEndingSlashes(filled.join('')));
    },
  };
}

/** How many folders of a key have no name. */
const countNameless = (prefix: string) => prefix.split('/').filter((name) => name === '').length;

/** A template as text and names, in its order. */
function toParts(template: string): (string | { name: Name })[] {
  const parts: (string | { name: Name })[] = [];
  let end = 0;
  for (const { 0: found, 1: name, index } of template.matchAll(nameOrBrace)) {
    if (!isName(name)) continue;
    parts.push(template.slice(end, index), { name });
    end = index + found.length;
  }
  return [...parts, template.slice(end)];
}

function isName(text: string | undefined): text is Name {
  return (names as readonly (string | undefined)[]).includes(text);
}

/** Nearly every log group begins with a slash, which would give a folder without a name. */
function toLogGroup(logGroupName: string): string {
  return logGroupName.startsWith('/') ? logGroupName.slice(1) : logGroupName;
}
