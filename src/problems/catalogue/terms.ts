/** A term of this service and its meaning, for readers who have seen nothing else of it. */
type Term = readonly [term: string, meaning: string];

/** The terms that the texts of problems and the API description use without explaining them each time. */
export const terms: readonly Term[] = [
  ['target', 'An AWS account and Region in which this service exports.'],
  ['service role', 'The IAM role with which this service calls AWS.'],
  [
    'task',
    'An export task of CloudWatch Logs. It exports one log group over one time range to S3.',
  ],
  [
    'policies of this service',
    'Rules for callers: who may export what to which bucket, and use which webhook endpoints.',
  ],
  ['slot', 'The place for the one active export task that AWS allows per account and Region.'],
  [
    'job',
    'An export job: a stored request for exports. It waits in a queue, and this service carries it out.',
  ],
  ['slice', 'A part of a job: one log group and one interval. An export task exports it.'],
  ['attempt', 'One try to export a slice. It creates one export task at most.'],
  ['archive', 'A standing order to export log groups, for each day, week or other calendar unit.'],
  [
    'partition',
    'A part of an archive: one log group and one calendar unit. An export job exports it.',
  ],
  ['backfill', 'A request to export past partitions of an archive.'],
  ['waiver', 'A statement that partitions of an archive need no export.'],
  ['coverage', 'The record of verified exports, by log group and time range.'],
  ['webhook endpoint', 'A URL of a caller. This service sends events of this caller to it.'],
  [
    'delivery',
    'One event for one webhook endpoint. It is sent again until the receiver accepts it, or some days have passed.',
  ],
];

/** Returns the terms that occur in a text, in the singular or the plural. Code in backticks does not count. */
export function termsIn(text: string): readonly Term[] {
  const words = ` ${text
    .replaceAll(/`[^`]*`/g, ' ')
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, ' ')} `;
  return terms.filter(([term]) =>
    [term, `${term.replace(/y$/, 'ie')}s`].some((form) => words.includes(` ${form} `)),
  );
}
