import { describe, expect, test } from 'vitest';

import {
  defaultTemplateOf,
  faultOf,
  readPrefixTemplate,
} from '#export-jobs/planning/prefix-template.ts';
import { filesKeyOf } from '#export-jobs/verification/manifest/manifest.ts';

const job = {
  target: { name: 'prod-eu', accountId: '111122223333', region: 'eu-west-1' },
  jobId: '3f1c6a52-8c0f-4f0a-9d57-0d1a3f5d9a11',
  timeZone: 'UTC',
};
const slice = { logGroupName: '/aws/lambda/pay', fromAt: Date.UTC(2024, 4, 1, 7, 30), attempt: 2 };
const known = '{account} {region} {target} {logGroup} {yyyy} {MM} {dd} {HH} {mm} {jobId} {attempt}';

describe('a prefix template', () => {
  test.for([
    ['plain/text', 'plain/text'],
    ['{account}|{region}|{target}', '111122223333|eu-west-1|prod-eu'],
    ['{logGroup}', 'aws/lambda/pay'],
    ['{yyyy}-{MM}-{dd}T{HH}', '2024-05-01T07'],
    ['{jobId}.{attempt}.{attempt}', `${job.jobId}.2.2`],
    ['a/{attempt}//', 'a/2'],
    ['/a', '/a'],
    ['é{dd}🪵', 'é01🪵'],
    ['{HH}:{mm}', '07:30'],
    [
      defaultTemplateOf('hour'),
      `111122223333/eu-west-1/aws/lambda/pay/2024/05/01/07/${job.jobId}/2`,
    ],
    [
      defaultTemplateOf('15-minutes'),
      `111122223333/eu-west-1/aws/lambda/pay/2024/05/01/07/30/${job.jobId}/2`,
    ],
  ] as const)('renders %s as %s', ([template, prefix]) => {
    expect(faultOf(template)).toBeUndefined();
    expect(readPrefixTemplate(template, job).render(slice)).toBe(prefix);
  });

  test.for([
    ['Europe/Berlin', '2024-05-01T09'],
    ['Pacific/Kiritimati', '2024-05-01T21'],
    ['America/Los_Angeles', '2024-05-01T00'],
    ['Asia/Kolkata', '2024-05-01T13'],
    ['Pacific/Honolulu', '2024-04-30T21'],
  ])('renders the times of %s as %s', ([timeZone = '', time]) => {
    const { render } = readPrefixTemplate('{yyyy}-{MM}-{dd}T{HH}', { ...job, timeZone });

    expect(render(slice)).toBe(time);
  });

  test('removes only one leading slash of a log group', () => {
    const { render } = readPrefixTemplate('x{logGroup}x', job);
    const rendered = ['app', '//app', '/', '/a/'].map((logGroupName) =>
      render({ ...slice, logGroupName }),
    );

    expect(rendered).toEqual(['xappx', 'x/appx', 'xx', 'xa/x']);
  });

  test.each([
    [defaultTemplateOf('none'), '/'],
    [defaultTemplateOf('none'), '//'],
    ['a/{logGroup}/{dd}', '/'],
    ['{logGroup}/{dd}', '/'],
    ['/a/{logGroup}/{dd}', '/'],
  ])('rejects %s for the log group %s, which makes a folder without a name', (template, bare) => {
    const { faultFor } = readPrefixTemplate(template, job);

    expect(faultFor(bare)).toBe(
      `must not have a folder without a name when filled in, but does for log group ${bare}, where {logGroup} is empty; put text before {logGroup}`,
    );
    expect(faultFor('/app')).toBeUndefined();
  });

  test.each(['x{logGroup}/{dd}', '{dd}-{logGroup}-', 'a//{dd}', '{yyyy}/{logGroup}'])(
    'accepts %s for the log group /',
    (template) => {
      expect(readPrefixTemplate(template, job).faultFor('/')).toBeUndefined();
    },
  );

  test.for([
    ['a/{day}', `has the unknown placeholder {day} at character 3; known placeholders: ${known}`],
    ['{}', `has the unknown placeholder {} at character 1; known placeholders: ${known}`],
    [
      '{Account}',
      `has the unknown placeholder {Account} at character 1; known placeholders: ${known}`,
    ],
    [
      '{constructor}',
      `has the unknown placeholder {constructor} at character 1; known placeholders: ${known}`,
    ],
    ['a{', 'has an unmatched { at character 2'],
    ['a}b', 'has an unmatched } at character 2'],
    ['{{dd}', 'has an unmatched { at character 1'],
    ['{dd}}', 'has an unmatched } at character 5'],
    ['}{', 'has an unmatched } at character 1; has an unmatched { at character 2'],
    ['//', 'must not consist of slashes only'],
  ] as const)('rejects %s: %s', ([template, fault]) => {
    expect(faultOf(template)).toBe(fault);
  });

  test('leaves room for the names of objects and manifests, for any attempt', () => {
    const short = `${'é'.repeat(477)}{attempt}`; // 954 bytes and six digits: one byte is left

    expect(readPrefixTemplate(`${short}/`, job).faultFor('/aaa')).toBeUndefined();
    const filled = readPrefixTemplate(`${short}{logGroup}`, job);
    expect(filled.faultFor('/a')).toBeUndefined();
    expect(filled.faultFor('/aa')).toBe(
      'must have at most 961 bytes when filled in, but has 962 for log group /aa; "/_manifest-<taskId>-files.ndjson.gz" is appended, and the limit of an S3 key is 1024 bytes',
    );
    const longest = filled.render({ ...slice, logGroupName: '/a', attempt: 999_999 });
    expect(Buffer.byteLength(filesKeyOf(longest, job.jobId))).toBe(1_024);
  });

  test('has room for the longest names by default', () => {
    const target = { ...job.target, region: 'ap-southeast-99', name: 'x'.repeat(64) };

    const { faultFor } = readPrefixTemplate(defaultTemplateOf('15-minutes'), { ...job, target });

    expect(faultFor('x'.repeat(512))).toBeUndefined();
  });

  test.for([
    ['{logGroup}', '/', '/logs'],
    ['{logGroup}', `${'/'.repeat(512)}`, '/a'],
    ['/{logGroup}/{logGroup}//', '//', '/a//'],
  ] as const)(
    'rejects %s for log group %s, which leaves only slashes',
    ([template, bare, named]) => {
      const { faultFor, render } = readPrefixTemplate(template, job);

      expect(faultOf(template)).toBeUndefined();
      expect(render({ ...slice, logGroupName: bare })).toBe('exportedlogs'); // of an older version
      expect(faultFor(bare)).toBe(
        `must not consist of slashes only when filled in, but does for log group ${bare}; put text before {logGroup}`,
      );
      expect(faultFor(named)).toBeUndefined();
    },
  );

  test.for(['a{logGroup}', '{logGroup}{dd}', '{target}/{logGroup}'])(
    'accepts %s for a log group of slashes',
    (template) => {
      const { faultFor, render } = readPrefixTemplate(template, job);

      expect(faultFor('////')).toBeUndefined();
      expect(render({ ...slice, logGroupName: '////' })).not.toBe('exportedlogs');
    },
  );

  test('counts bytes without rendering', () => {
    const template = '{logGroup}'.repeat(102);
    const slashes = '/'.repeat(512);

    const fault = readPrefixTemplate(template, job).faultFor(slashes);

    expect(fault).toContain(`but has ${102 * 511} for`);
  });
});
