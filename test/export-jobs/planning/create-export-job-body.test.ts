import { describe, expect, test } from 'vitest';

import { CreateExportJob } from '#export-jobs/planning/create-export-job-body.ts';
import { completeDocument } from '#openapi/document.ts';
import type { Problem } from '#problems/problem.ts';
import { readJsonBody } from '#validation/json/json-body.ts';
import { makeValidator } from '#validation/validator.ts';

const validate = makeValidator({ schema: CreateExportJob, httpPart: 'body' });
const jobBody = {
  logGroupNames: ['/app'],
  from: '2024-05-01T00:00:00Z',
  to: '2024-05-02T00:00:00Z',
  destination: 'archive',
};
const { logGroupNames: _none, ...withoutGroups } = jobBody;

/** The violations of a body, or `fine`. */
function violationsOf(body: unknown) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const answer = validate(readJsonBody(Buffer.from(text)));
  return 'error' in answer ? (answer.error as Problem).members.errors : 'fine';
}
const at = (pointer: string, detail: unknown) => [{ in: 'body', pointer, detail }];
const names = (count: number) => Array.from({ length: count }, (_, index) => `/app/${index}`);

describe('a body of POST /export-jobs', () => {
  test.for([
    {},
    { logGroupNames: names(1_000) },
    { from: 1_714_521_600_000, to: 1_714_521_600_000 },
    { from: -1, to: 'yesterday' }, // for readWindow to say what is wrong
    { sliceBy: 'week', priority: -10, allowUnsettled: true, name: 'x'.repeat(256) },
    { destinationPrefix: 'é'.repeat(512), logStreamNamePrefix: 'web-' },
    { name: null, logGroupNamePrefix: null, sliceBy: null, timeZone: null, priority: null },
    { destinationPrefix: null, logStreamNamePrefix: null, allowUnsettled: null },
  ])('accepts other members (%#)', (members) => {
    expect(violationsOf({ ...jobBody, ...members })).toBe('fine');
  });

  test('accepts an integer of any size as an instant, which the window checks later', () => {
    const text = JSON.stringify({ ...jobBody, to: 1 }).replace(
      '"to":1',
      '"to":1714521600000000000',
    );

    expect(violationsOf(text)).toBe('fine');
  });

  test.for(CreateExportJob.examples as object[])('accepts the example %#', (example) => {
    expect(violationsOf(example)).toBe('fine');
  });

  test('suggests a prefix without its star', () => {
    const starred = { ...withoutGroups, logGroupNamePrefix: '/aws/lambda/*' };

    expect(violationsOf(starred)).toEqual(
      at('#/logGroupNamePrefix', expect.stringMatching(/; write "\/aws\/lambda\/"$/)),
    );
  });

  test('requires exactly one of logGroupNames and logGroupNamePrefix', () => {
    const rule = 'must have exactly one of logGroupNames, logGroupNamePrefix, but has';

    expect(violationsOf({ ...withoutGroups, logGroupNamePrefix: '/app' })).toBe('fine');
    expect(violationsOf(withoutGroups)).toEqual(at('#', `${rule} none of them`));
    expect(violationsOf({ ...jobBody, logGroupNamePrefix: '/app' })).toEqual(
      at('#', `${rule} more than one`),
    );
  });

  test.for([
    [
      { logGroupNames: [] },
      '#/logGroupNames',
      'must be an array of 1 to 1000 names of log groups, each once, but is an array of 0 items',
    ],
    [
      { logGroupNames: names(1_001) },
      '#/logGroupNames',
      'must be an array of 1 to 1000 names of log groups, each once, but is an array of 1001 items',
    ],
    [
      { logGroupNames: ['/a', '/b', '/a'] },
      '#/logGroupNames/2',
      'must be unique, but is the same as item 0',
    ],
    [
      { logGroupNames: ['/a', 'b:c'] },
      '#/logGroupNames/1',
      'must be 1 to 512 of the characters A-Z a-z 0-9 . - _ / #, but is "b:c"',
    ],
    [
      { from: true },
      '#/from',
      'must be RFC 3339 with an offset ("2024-05-01T00:00:00Z"), or integer milliseconds since 1970, but is true',
    ],
    [{ to: null }, '#/to', expect.stringMatching(/^is missing; it must be RFC 3339 /)],
    [
      { sliceBy: 'year' },
      '#/sliceBy',
      'must be one of none, 15-minutes, hour, day, week, month, but is "year"',
    ],
    [{ priority: 11 }, '#/priority', 'must be an integer from -10 to 10, but is 11'],
    [{ priority: '1' }, '#/priority', 'must be an integer from -10 to 10, but is "1"'],
    [{ allowUnsettled: 'true' }, '#/allowUnsettled', 'must be true or false, but is "true"'],
    [
      { destinationPrefix: '' },
      '#/destinationPrefix',
      'must be text of 1 to 1024 bytes in UTF-8, the limit of an S3 key, but is ""',
    ],
    [
      { destination: 'arn:aws:s3:::archive/x' },
      '#/destination',
      'must be the name of an S3 bucket, 1 to 512 characters, without :, / and white space, but is "arn:aws:s3:::archive/x"; write "archive", and "x" as destinationPrefix',
    ],
    [
      { destination: 'archive ' },
      '#/destination',
      expect.stringMatching(/, but is "archive "; write "archive"$/),
    ],
    [
      { logGroupNames: ['/aws/lambda/*'] },
      '#/logGroupNames/0',
      expect.stringMatching(/ with logGroupNamePrefix "\/aws\/lambda\/"$/),
    ],
    [{ timeZone: 'x'.repeat(65) }, '#/timeZone', expect.stringMatching(/^must be the IANA name /)],
    [{ name: 'a\u0000' }, '#/name', expect.stringMatching(/^must be text of 1 to 256 characters/)],
    [{ filter: 'ERROR' }, '#/filter', expect.stringMatching(/^is unknown/)],
  ] as const)('returns what is wrong (%#)', ([members, pointer, detail]) => {
    expect(violationsOf({ ...jobBody, ...members })).toEqual(at(pointer, detail));
  });

  test.for(['1.5', '1e3', '-0', '[1]', '{}'])('rejects the instant %s', (token) => {
    const text = JSON.stringify({ ...jobBody, to: 1 }).replace('"to":1', `"to":${token}`);

    expect(violationsOf(text)).toEqual(at('#/to', expect.stringMatching(/^must be RFC 3339 /)));
  });

  test('appears in OpenAPI with named types', () => {
    const requestBody = { content: { 'application/json': { schema: CreateExportJob } } };
    const operation = { operationId: 'createExportJob', tags: ['x'], responses: {}, requestBody };
    const found: { paths: object; components?: { schemas?: object } } = {
      paths: { '/x': { post: operation } },
    };

    const { components } = completeDocument(found, new Map());

    expect(components?.schemas).toMatchObject({
      Instant: {
        oneOf: [
          { type: 'integer', format: 'int64', minimum: 0 },
          { type: 'string', format: 'date-time' },
        ],
      },
      CreateExportJob: {
        description:
          'A request for an export job. It requires exactly one of `logGroupNames` and `logGroupNamePrefix`.',
        properties: {
          from: { $ref: '#/components/schemas/Instant' },
          to: { $ref: '#/components/schemas/Instant' },
          sliceBy: { $ref: '#/components/schemas/SliceBy' },
        },
      },
    });
  });
});
