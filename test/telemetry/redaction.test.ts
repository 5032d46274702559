import { expect, test } from 'vitest';

import { makeLogger } from '#telemetry/logger.ts';

/** Logs facts, and returns the parsed line. */
function logged(facts: object): Record<string, unknown> {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  makeLogger('info', destination).info(facts, 'text');
  return JSON.parse(lines.join(''));
}

test('logs no secret at any depth', () => {
  const secret = { SessionToken: 'hush' };

  const line = logged({ token: 'hush', one: secret, two: { three: [{ four: { five: secret } }] } });

  expect(JSON.stringify(line)).not.toContain('hush');
  expect(line).toMatchObject({
    token: '[redacted]',
    two: { three: [{ four: { five: { SessionToken: '[redacted]' } } }] },
  });
});

test('logs only the known members of an error and its causes', () => {
  const cause = Object.assign(new Error('no'), { request: { headers: { authorization: 'hush' } } });
  const err = Object.assign(new TypeError('failed', { cause }), { password: 'hush' });

  const line = logged({ err, deep: { err } });

  expect(JSON.stringify(line)).not.toContain('hush');
  expect(line.err).toMatchObject({
    type: 'TypeError',
    message: 'failed',
    stack: expect.stringContaining('TypeError: failed'),
    cause: { type: 'Error', message: 'no' },
  });
});

test('logs circular errors, dates and lists', () => {
  const err: Error & { context?: object } = new Error('round');
  err.context = { err };

  const line = logged({ err, at: new Date(0), list: [1, null, 'x'], nothing: undefined });

  expect(line).toMatchObject({
    err: { message: 'round' },
    at: '1970-01-01T00:00:00.000Z',
    list: [1, null, 'x'],
  });
});

test('does not change the logged object', () => {
  const facts = { token: 'kept', nested: { token: 'kept' } };

  logged(facts);

  expect(facts).toEqual({ token: 'kept', nested: { token: 'kept' } });
});
