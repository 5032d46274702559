import { describe, expect, it } from 'vitest';
import { isAllowed, readPolicy } from '../src/iam/policy.ts';

/** Whether a pattern of a Resource element matches a resource. */
function matches(pattern: string, resource: string): boolean {
  const statement = { Effect: 'Allow', Action: 's3:PutObject', Resource: pattern };
  const policy = readPolicy(JSON.stringify({ Statement: statement }));
  if (!policy) throw new Error('This is no policy.');
  return isAllowed(policy, { principals: 'holder', action: 's3:PutObject', resource, context: {} });
}

const escaped = (character: string) => `$\{${character}}`;

describe('a resource pattern', () => {
  it.each([
    ['a*c', 'abbc', true],
    ['a*c', 'ac', true],
    ['a*c', 'acb', false],
    ['*b*', 'abc', true],
    ['a**', 'a', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a?', 'a', false],
    ['', '', true],
    ['', 'a', false],
    ['*.gz', 'line\n.gz', true],
    ['a.c', 'abc', false],
    ['[a]^$', '[a]^$', true],
  ])('%j matches %j: %s', (pattern, resource, isMatch) => {
    expect(matches(pattern, resource)).toBe(isMatch);
  });

  it('matches escaped special characters literally', () => {
    const pattern = `a${['*', '?', '$'].map(escaped).join('')}{b}*`;

    expect(matches(pattern, ['a*?$', '{b}/x'].join(''))).toBe(true);
    expect(matches(pattern, ['aXY$', '{b}/x'].join(''))).toBe(false);
    expect(matches(escaped('x'), escaped('x'))).toBe(true);
  });

  it('with 500 asterisks is evaluated in linear time', () => {
    expect(matches(`${'*a'.repeat(500)}*`, `${'a'.repeat(2_000)}`)).toBe(true);
    expect(matches(`${'*a'.repeat(500)}b`, `${'a'.repeat(2_000)}`)).toBe(false);
  });
});
