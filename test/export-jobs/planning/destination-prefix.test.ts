import { describe, expect, test } from 'vitest';

import {
  defaultTemplate,
  faultOf,
  faultOfLength,
  renderPrefix,
} from '#export-jobs/planning/destination-prefix.ts';

const facts = {
  account: '111122223333',
  region: 'eu-west-1',
  target: 'prod-eu',
  logGroupName: '/aws/lambda/pay',
  fromAt: Date.UTC(2024, 4, 1, 7, 30),
  jobId: '3f1c6a52-8c0f-4f0a-9d57-0d1a3f5d9a11',
  attempt: 2,
};
const known = '{account} {region} {target} {logGroup} {yyyy} {MM} {dd} {HH} {jobId} {attempt}';

describe('a destination prefix', () => {
  test.for([
    ['plain/text', 'plain/text'],
    ['{account}|{region}|{target}', '111122223333|eu-west-1|prod-eu'],
    ['{logGroup}', 'aws/lambda/pay'],
    ['{yyyy}-{MM}-{dd}T{HH}', '2024-05-01T07'],
    ['{jobId}.{attempt}.{attempt}', `${facts.jobId}.2.2`],
    ['a/{attempt}//', 'a/2'],
    ['/a', '/a'],
    ['é{dd}🪵', 'é01🪵'],
    [defaultTemplate, `111122223333/eu-west-1/aws/lambda/pay/2024/05/01/07/${facts.jobId}/2`],
  ] as const)('%s is filled in as %s', ([template, prefix]) => {
    expect(faultOf(template)).toBeUndefined();
    expect(renderPrefix(template, facts)).toBe(prefix);
  });

  test('keeps what is not a leading slash of a log group', () => {
    const rendered = ['app', '//app', '/', '/a/'].map((logGroupName) =>
      renderPrefix('x{logGroup}x', { ...facts, logGroupName }),
    );

    expect(rendered).toEqual(['xappx', 'x/appx', 'xx', 'xa/x']);
  });

  test.for([
    ['a/{day}', `has {day} at character 3, which is no name; known are: ${known}`],
    ['{}', `has {} at character 1, which is no name; known are: ${known}`],
    ['{Account}', `has {Account} at character 1, which is no name; known are: ${known}`],
    ['{constructor}', `has {constructor} at character 1, which is no name; known are: ${known}`],
    ['a{', 'has a { without its other half at character 2'],
    ['a}b', 'has a } without its other half at character 2'],
    ['{{dd}', 'has a { without its other half at character 1'],
    ['{dd}}', 'has a } without its other half at character 5'],
    [
      '}{',
      'has a } without its other half at character 1; has a { without its other half at character 2',
    ],
    ['//', 'must have more than slashes'],
  ] as const)('%s is refused: %s', ([template, fault]) => {
    expect(faultOf(template)).toBe(fault);
  });

  test('leaves AWS room for what it appends, whatever the attempt', () => {
    const { logGroupName: _none, attempt: _neither, ...others } = facts;
    const short = `${'é'.repeat(484)}{attempt}`; // 968 bytes and six digits: one byte is left
    const names = ['/a', '/aa', '/aaa'];

    expect(faultOfLength(`${short}/`, names, others)).toBeUndefined();
    expect(faultOfLength(`${short}{logGroup}`, ['/a'], others)).toBeUndefined();
    expect(faultOfLength(`${short}{logGroup}`, names, others)).toBe(
      'must be at most 975 bytes when filled in, but for log group /aa it is 976; AWS appends "/<taskId>/<log stream>/000000.gz", and an S3 key ends at 1024',
    );
    const key = `${renderPrefix(`${short}{logGroup}`, { ...facts, logGroupName: '/a', attempt: 999_999 })}/${facts.jobId}/x/000000.gz`;
    expect(Buffer.byteLength(key)).toBe(1_024);
  });

  test('has room by default, for the longest names there are', () => {
    const longest = {
      ...facts,
      region: 'ap-southeast-99',
      target: 'x'.repeat(64),
      logGroupName: 'x'.repeat(512),
    };

    expect(faultOfLength(defaultTemplate, [longest.logGroupName], longest)).toBeUndefined();
  });
});
