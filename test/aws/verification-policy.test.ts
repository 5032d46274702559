import { isAllowed, readPolicy } from 'cloudwatch-logs-export-emulator/source';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { eventsPolicyFor, objectsPolicyFor } from '#aws/sessions/verification-policy.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const location = { partition: 'aws', accountId: '123456789012', region: 'eu-west-1' };
const grant = {
  logGroupName: '/app',
  destination: 'archive',
  destinationPrefix: 'exports/app',
  taskId: '0c1f',
};
const bucketArn = 'arn:aws:s3:::archive';
const logGroupArn = 'arn:aws:logs:eu-west-1:123456789012:log-group:/app';

/** Whether the emulated IAM permits an action to a session with this policy. */
function permits(policy: string, action: string, resource: string, context = {}): boolean {
  const read = readPolicy(policy);
  if (!read) throw new Error(`AWS does not understand ${policy}`);
  return isAllowed(read, { principals: 'holder', action, resource, context });
}

const mayList = (policy: string, prefix: string, bucket = bucketArn) =>
  permits(policy, 's3:ListBucket', bucket, { 's3:prefix': prefix });

describe('the session that looks at objects', () => {
  const policy = objectsPolicyFor(location, grant);

  test.each([
    ['exports/app/0c1f/', true],
    ['exports/app/0c1f/stream/', true],
    ['exports/app/', false],
    ['exports/app/0c1', false],
    ['exports/app/0c1f-2/', false],
    ['', false],
  ])('may list the objects under %j: %s', (prefix, expected) => {
    expect(mayList(policy, prefix)).toBe(expected);
    expect(mayList(policy, prefix, 'arn:aws:s3:::vault')).toBe(false);
  });

  test('may not list a bucket without a prefix', () => {
    expect(permits(policy, 's3:ListBucket', bucketArn)).toBe(false);
  });

  test.each([
    ['s3:GetObject', 'exports/app/0c1f/stream/000000.gz', true],
    ['s3:GetObject', 'exports/app/_manifest-0c1f.json', true],
    ['s3:GetObject', 'exports/app/_manifest-0c1f-files.ndjson.gz', true],
    ['s3:PutObject', 'exports/app/_manifest-0c1f.json', true],
    ['s3:PutObjectAcl', 'exports/app/_manifest-0c1f.json', true],
    ['s3:GetObject', 'exports/app/0c20/stream/000000.gz', false],
    ['s3:GetObject', 'exports/app/_manifest-0c20.json', false],
    ['s3:PutObject', 'exports/app/0c1f/stream/000000.gz', false],
    ['s3:PutObject', 'exports/app/_manifest-0c20.json', false],
    ['s3:DeleteObject', 'exports/app/_manifest-0c1f.json', false],
  ])('may use %s on %s: %s', (action, key, expected) => {
    expect(permits(policy, action, `${bucketArn}/${key}`)).toBe(expected);
    expect(permits(policy, action, `arn:aws:s3:::vault/${key}`)).toBe(false);
  });

  test('may use keys of KMS through S3 only, and no CloudWatch Logs', () => {
    const via = (service: string) => ({ 'kms:ViaService': `${service}.eu-west-1.amazonaws.com` });

    expect(permits(policy, 'kms:Decrypt', '*', via('s3'))).toBe(true);
    expect(permits(policy, 'kms:Decrypt', '*', via('logs'))).toBe(false);
    expect(permits(policy, 'logs:FilterLogEvents', logGroupArn)).toBe(false);
  });

  test('has a policy that STS accepts, for any names, which takes no text as a pattern', () => {
    const text = fc.string({
      unit: fc.constantFrom(...'ab/*?$*?$', '日', '"', '\\'),
      maxLength: 512,
    });
    fc.assert(
      fc.property(text, text, (destinationPrefix, other) => {
        const own = objectsPolicyFor(location, { ...grant, destinationPrefix });
        const isExact = /^[ -\u00ff]*$/.test(destinationPrefix) && destinationPrefix.length < 100;
        const prefix = `${destinationPrefix}/0c1f/`;

        expect(own.length).toBeLessThanOrEqual(2_048);
        expect(own).toMatch(/^[\u0020-\u00ff]+$/);
        expect(mayList(own, prefix)).toBe(true);
        if (isExact) expect(mayList(own, `${other}/0c1f/`)).toBe(other === destinationPrefix);
      }),
      { seed },
    );
  });
});

describe('the session that reads events', () => {
  const policy = eventsPolicyFor(location, grant);

  test.each([
    ['logs:FilterLogEvents', `${logGroupArn}:*`, true],
    ['logs:StartQuery', logGroupArn, true],
    ['logs:GetQueryResults', '*', true],
    ['logs:FilterLogEvents', `${logGroupArn}2`, false],
    ['logs:CreateExportTask', logGroupArn, false],
    ['logs:DescribeLogGroups', '*', false],
    ['s3:GetObject', `${bucketArn}/exports/app/0c1f/stream/000000.gz`, false],
  ])('may use %s on %s: %s', (action, resource, expected) => {
    expect(permits(policy, action, resource)).toBe(expected);
  });

  test('has a policy that STS accepts for the longest log group', () => {
    const logGroupName = '#'.repeat(512);

    const long = eventsPolicyFor(location, { ...grant, logGroupName });

    expect(long.length).toBeLessThanOrEqual(2_048);
  });
});
