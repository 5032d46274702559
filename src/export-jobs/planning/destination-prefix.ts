import { s3KeyMaxBytes } from '#export-tasks/export-task.ts';

/** What a destination prefix is made of for one attempt of one slice. */
export interface PrefixFacts {
  account: string;
  region: string;
  target: string;
  logGroupName: string;
  /** The start of the slice, epoch ms; times in the prefix are UTC. */
  fromAt: number;
  jobId: string;
  attempt: number;
}

/** The names a template may have in braces, and what they stand for. */
const names: Record<string, (facts: PrefixFacts) => string> = {
  account: ({ account }) => account,
  region: ({ region }) => region,
  target: ({ target }) => target,
  // Nearly every log group begins with a slash, which would give a folder without a name.
  logGroup: ({ logGroupName }) => logGroupName.replace(/^\//, ''),
  yyyy: ({ fromAt }) => toText(fromAt).slice(0, 4),
  MM: ({ fromAt }) => toText(fromAt).slice(5, 7),
  dd: ({ fromAt }) => toText(fromAt).slice(8, 10),
  HH: ({ fromAt }) => toText(fromAt).slice(11, 13),
  jobId: ({ jobId }) => jobId,
  attempt: ({ attempt }) => String(attempt),
};

const known = Object.keys(names)
  .map((name) => `{${name}}`)
  .join(' ');

/** What the document says of templates. */
export const templateDescription = `What the keys of the exported objects begin with. Filled in for each slice: ${known}, where the times are those of its start in UTC, and {logGroup} is without its leading slash. AWS appends \`/<taskId>/<log stream>/000000.gz\`.`;

/**
 * The template when a job has none. No two slices of a job begin in the same hour with the same log
 * group; with the job and the attempt beside, what one attempt wrote is never mixed with another's.
 */
export const defaultTemplate =
  '{account}/{region}/{logGroup}/{yyyy}/{MM}/{dd}/{HH}/{jobId}/{attempt}';

const nameOrBrace = /\{([^{}]*)\}|[{}]/g;

/** In words what is wrong with a template; `undefined` when it is good. */
export function faultOf(template: string): string | undefined {
  const faults = [...template.matchAll(nameOrBrace)].flatMap(({ 0: found, 1: name, index }) => {
    if (name === undefined)
      return [`has a ${found} without its other half at character ${index + 1}`];
    if (Object.hasOwn(names, name)) return [];
    return [`has ${found} at character ${index + 1}, which is no name; known are: ${known}`];
  });
  if (withoutEndingSlashes(template) === '') faults.push('must have more than slashes');
  return faults.length === 0 ? undefined : faults.join('; ');
}

/** The destinationPrefix of one attempt: the template, every name in braces filled in. */
export function renderPrefix(template: string, facts: PrefixFacts): string {
  const filled = template.replace(nameOrBrace, (found, name) => names[name]?.(facts) ?? found);
  return withoutEndingSlashes(filled); // AWS puts one before the task id
}

// "/<taskId, 36>/<log stream>/000000.gz" with the shortest name of a log stream. With a longer one
// AWS may still fail; how long they are nobody can know beforehand.
const appendedBytes = 1 + 36 + '/x/000000.gz'.length;
const prefixMaxBytes = s3KeyMaxBytes - appendedBytes;

// More attempts than a slice will ever have, so that a prefix that fits at first goes on fitting.
const longestAttempt = 999_999;

/** In words for which log group the rendered prefix leaves AWS no room; `undefined` when for none. */
export function faultOfLength(
  template: string,
  logGroupNames: readonly string[],
  facts: Omit<PrefixFacts, 'logGroupName' | 'attempt'>,
): string | undefined {
  for (const logGroupName of logGroupNames) {
    const prefix = renderPrefix(template, { ...facts, logGroupName, attempt: longestAttempt });
    const bytes = Buffer.byteLength(prefix);
    if (bytes > prefixMaxBytes) {
      return `must be at most ${prefixMaxBytes} bytes when filled in, but for log group ${logGroupName} it is ${bytes}; AWS appends "/<taskId>/<log stream>/000000.gz", and an S3 key ends at ${s3KeyMaxBytes}`;
    }
  }
  return undefined;
}

function withoutEndingSlashes(text: string): string {
  return text.replace(/\/+$/, '');
}

function toText(ms: number): string {
  return new Date(ms).toISOString();
}
