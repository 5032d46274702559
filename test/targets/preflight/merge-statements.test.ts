import { describe, expect, test } from 'vitest';
import { bucketStatements } from '#targets/preflight/policies/export-statements.ts';
import { mergeStatements } from '#targets/preflight/policy/merge-statements.ts';
import { matchPattern } from '#targets/preflight/policy/pattern.ts';
import { readPolicy } from '#targets/preflight/policy/policy-document.ts';

const region = 'eu-west-1';
const ours = bucketStatements({ region, accountId: '123456789012' }, 'archive');
const theirs = bucketStatements({ region, accountId: '999999999999' }, 'archive');
const policyOf = (Statement: unknown, more: object = {}) =>
  readPolicy(JSON.stringify({ Version: '2012-10-17', ...more, Statement }));

describe('a merged policy', () => {
  test('without an existing one is a policy of its own', () => {
    expect(mergeStatements(undefined, ours)).toEqual({ Version: '2012-10-17', Statement: ours });
  });

  test('keeps the existing statements, the Id and the version', () => {
    const tls = { Sid: 'Tls', Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*' };
    const more = { Version: '2008-10-17', Id: 'team' };

    expect(mergeStatements(policyOf(tls, more), ours)).toEqual({
      ...more,
      Statement: [tls, ...ours],
    });
  });

  test('adds no statement twice', () => {
    expect(mergeStatements(policyOf(ours), ours)).toEqual({
      Version: '2012-10-17',
      Statement: ours,
    });
  });

  test('adds the account to the same statements of another one', () => {
    const merged = mergeStatements(policyOf(theirs), ours) as { Statement: object[] };

    expect(merged.Statement).toHaveLength(2);
    expect(merged.Statement[0]).toEqual({
      ...theirs[0],
      Condition: {
        StringEquals: { 'aws:SourceAccount': ['999999999999', '123456789012'] },
        ArnLike: {
          'aws:SourceArn': [
            `arn:aws:logs:${region}:999999999999:log-group:*`,
            `arn:aws:logs:${region}:123456789012:log-group:*`,
          ],
        },
      },
    });
  });

  test('keeps another statement with our Sid, and gives ours another one', () => {
    const other = { ...ours[1], Resource: 'arn:aws:s3:::archive/private/*' };
    const again = { ...other, Sid: 'AllowPutObject2', Effect: 'Deny' };

    const merged = mergeStatements(policyOf([other, again]), ours);

    expect(merged).toMatchObject({
      Statement: [other, again, ours[0], { ...ours[1], Sid: 'AllowPutObject3' }],
    });
  });
});

describe('a policy that is not understood', () => {
  test.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['no statement', '{}'],
    ['a statement that is text', '{"Statement":["Allow"]}'],
    ['another effect', '{"Statement":{"Effect":"allow"}}'],
    ['both Action and NotAction', '{"Statement":{"Effect":"Deny","Action":"*","NotAction":"*"}}'],
    ['a variable in an old version', `{"Statement":{"Effect":"Deny","Resource":"$\{aws:x}"}}`],
    ['a text without end', ' '.repeat(70_000)],
  ])('is not merged: %s', (_, text) => {
    expect(readPolicy(text)).toBeUndefined();
  });
});

test('a pattern with many wildcards is matched without trying all their combinations', () => {
  expect(matchPattern('a'.repeat(2_000), `${'*a'.repeat(500)}*`)).toBe(true);
  expect(matchPattern('a'.repeat(2_000), `${'*a'.repeat(500)}b`)).toBe(false);
});
