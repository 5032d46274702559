import type { TargetIdentity } from '#auth/authorization/authorizer.ts';
import { effectivePrefix, withoutTrailingSlashes } from '#aws/destination-prefix.ts';
import { s3KeyMaxBytes } from '#export-tasks/create-export-task-body.ts';
import { filesKeyOf } from '../verification/manifest/manifest.ts';
import { defaultTimesOf, type SliceBy } from './calendar/slice-units.ts';
import { openWallClock } from './calendar/wall-clock.ts';

/** The values of a job in its destination prefixes. */
export interface JobOfPrefix {
  target: TargetIdentity;
  jobId: string;
  /** The IANA name of the time zone of the times. */
  timeZone: string;
  /** Which export of its partition it is; 1 for a job without archive, and the default. */
  revision?: number;
}

/** The values of one attempt in its destination prefix. */
interface AttemptOfPrefix {
  logGroupName: string;
  /** The start of the slice, epoch ms. */
  fromAt: number;
  attempt: number;
}

/** A prefix template: text with placeholders, read once and rendered for each attempt. */
export interface PrefixTemplate {
  /**
   * Says why AWS cannot export a log group to its rendered prefix; `undefined` when it can. It counts
   * bytes and renders nothing, so a long template costs nothing more for each log group.
   */
  faultFor(logGroupName: string): string | undefined;
  /**
   * Renders the destinationPrefix of an attempt: all placeholders filled in, no ending slashes, never
   * empty.
   */
  render(attempt: AttemptOfPrefix): string;
}

/** The placeholders of the template of a job. */
const namesOfJobs = [
  'account',
  'region',
  'target',
  'logGroup',
  'yyyy',
  'MM',
  'dd',
  'HH',
  'mm',
  'jobId',
  'attempt',
] as const;
/** Those of the template of an archive. */
const names = [...namesOfJobs, 'revision'] as const;
type Name = (typeof names)[number];
const inBraces = (known: readonly Name[]) => known.map((name) => `{${name}}`).join(' ');
const known = inBraces(namesOfJobs);

/** The names of the placeholders that a template may have: those of a job or of an archive. */
export const placeholders = { job: namesOfJobs, archive: names } as const;

/** The description of prefix templates in the OpenAPI document. */
export const templateDescription = `Template for the key prefix of the exported objects. Placeholders: ${known}. They are filled in for each attempt of each slice. {yyyy}, {MM}, {dd}, {HH} and {mm} are the year, month, day, hour and minute at the start of the slice. They are in \`timeZone\`. {attempt} is the number of the attempt for the slice: 1, 2, 3, … {logGroup} has no leading slash. Slashes at the end of the prefix are removed. AWS appends \`/<taskId>/<log stream>/\` and the file names \`000000.gz\`, \`000001.gz\` and so on. The default template has {mm} after {HH} if \`sliceBy\` is \`15-minutes\`.`;

/**
 * The prefix template of a job that has none. It renders a different prefix for each attempt of each
 * slice, so the objects of two attempts never mix: no two slices of a log group begin in the same
 * period of the clock, and the times in the template are as fine as the periods. Slices that come from a
 * split may, but count their attempts together. Log groups whose names differ only in a leading slash share
 * their prefixes.
 */
export const defaultTemplateOf = (sliceBy: SliceBy): string =>
  `{account}/{region}/{logGroup}/${defaultTimesOf(sliceBy)}/{jobId}/{attempt}`;

const nameOrBrace = /\{([^{}]*)\}|[{}]/g;

/** Says what is wrong with a prefix template; `undefined` when it is valid. */
export function faultOf(
  prefixTemplate: string,
  allowed: readonly Name[] = placeholders.job,
): string | undefined {
  const faults = [...prefixTemplate.matchAll(nameOrBrace)].flatMap(
    ({ 0: found, 1: name, index }) => {
      if (name === undefined) return [`has an unmatched ${found} at character ${index + 1}`];
      if (isName(name) && allowed.includes(name)) return [];
      return [
        `has the unknown placeholder ${found} at character ${index + 1}; known placeholders: ${inBraces(allowed)}`,
      ];
    },
  );
  if (withoutTrailingSlashes(prefixTemplate) === '')
    faults.push('must not consist of slashes only');
  return faults.length === 0 ? undefined : faults.join('; ');
}

// The longest of "/<taskId, 36>/<log stream>/000000.gz" with the shortest name of a log stream, and of the
// names of a manifest. With a longer log stream AWS may still fail; their lengths are unknown beforehand.
const appendedBytes = Math.max(
  ...[`/${'i'.repeat(36)}/x/000000.gz`, filesKeyOf('', 'i'.repeat(36))].map((text) => text.length),
);
const prefixMaxBytes = s3KeyMaxBytes - appendedBytes;

// More attempts than a slice will ever have, so that a prefix that fits at first fits later, too.
const longestAttempt = 999_999;

/** Reads a valid prefix template. */
export function readPrefixTemplate(prefixTemplate: string, job: JobOfPrefix): PrefixTemplate {
  const { target, jobId, timeZone, revision = 1 } = job;
  const clock = openWallClock(timeZone);
  const parts = toParts(prefixTemplate);
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
      mm: time.slice(14, 16),
      attempt: String(attempt),
      revision: String(revision),
    };
  };

  // Only the log group differs in length between slices.
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
  const bare = withoutTrailingSlashes(fillLogGroup(''));
  const leavesNamelessFolder = countNameless(bare) > countNameless(fillLogGroup('x'));

  return {
    faultFor(logGroupName) {
      const logGroup = toLogGroup(logGroupName);
      const bytes = bytesBeside + logGroups.length * Buffer.byteLength(logGroup);
      if (bytes > prefixMaxBytes) {
        return `must have at most ${prefixMaxBytes} bytes when filled in, but has ${bytes} for log group ${logGroupName}; "/_manifest-<taskId>-files.ndjson.gz" is appended, and the limit of an S3 key is ${s3KeyMaxBytes} bytes`;
      }
      if (withoutTrailingSlashes(logGroup) !== '') return undefined;
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
      return effectivePrefix(withoutTrailingSlashes(filled.join('')));
    },
  };
}

/** Counts the folders of a key that have no name. */
const countNameless = (prefix: string) => prefix.split('/').filter((name) => name === '').length;

/** Splits a template into text and placeholders. */
function toParts(prefixTemplate: string): (string | { name: Name })[] {
  const parts: (string | { name: Name })[] = [];
  let end = 0;
  for (const { 0: found, 1: name, index } of prefixTemplate.matchAll(nameOrBrace)) {
    if (!isName(name)) continue;
    parts.push(prefixTemplate.slice(end, index), { name });
    end = index + found.length;
  }
  return [...parts, prefixTemplate.slice(end)];
}

function isName(text: string | undefined): text is Name {
  return (names as readonly (string | undefined)[]).includes(text);
}

/** The value of {logGroup}. Nearly every name begins with a slash, which would make a folder without a name. */
export function toLogGroup(logGroupName: string): string {
  return logGroupName.startsWith('/') ? logGroupName.slice(1) : logGroupName;
}
