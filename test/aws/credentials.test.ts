import { describe, expect, test } from 'vitest';

import { makeAssumedRoleCredentials } from '#aws/sessions/credentials.ts';

const minuteMs = 60_000;

/** A role with sessions of fifteen minutes, an STS that can be made to fail, and a clock to advance. */
function openRole() {
  let elapsed = 0;
  let calls = 0;
  let failure: object | undefined;
  const credentials = makeAssumedRoleCredentials({
    elapsed: () => elapsed,
    assumeRole: async () => {
      calls += 1;
      if (failure) throw Object.assign(new Error('sts'), failure);
      const Credentials = {
        AccessKeyId: `key-${calls}`,
        SecretAccessKey: 'secret',
        SessionToken: 'token',
        Expiration: new Date(Date.UTC(2026, 0, 1) + elapsed + 15 * minuteMs),
      };
      return { Credentials, $metadata: {} };
    },
  });
  return {
    credentials,
    calls: () => calls,
    pass: (ms: number) => {
      elapsed += ms;
    },
    failWith: (error: object | undefined) => {
      failure = error;
    },
  };
}

const refused = { $metadata: { httpStatusCode: 403 } };
const outage = { $metadata: { httpStatusCode: 503 } };

describe('credentials of an assumed role', () => {
  test('come from one AssumeRole for a hundred calls at once', async () => {
    const { credentials, calls } = openRole();

    const all = await Promise.all(Array.from({ length: 100 }, () => credentials()));

    expect(new Set(all.map((keys) => keys.accessKeyId))).toEqual(new Set(['key-1']));
    expect(calls()).toBe(1);
  });

  test('are renewed five minutes before their end, while calls still use the old ones', async () => {
    const { credentials, calls, pass } = openRole();
    await credentials();

    pass(10 * minuteMs);
    const old = await credentials();
    await new Promise(setImmediate);
    const renewed = await credentials();

    expect([old.accessKeyId, renewed.accessKeyId]).toEqual(['key-1', 'key-2']);
    expect(calls()).toBe(2);
  });

  test('stay valid until their end when STS is down', async () => {
    const { credentials, pass, failWith } = openRole();
    await credentials();
    failWith(outage);

    pass(14 * minuteMs);
    const last = await credentials();
    await new Promise(setImmediate);
    pass(2 * minuteMs);

    expect(last.accessKeyId).toBe('key-1');
    await expect(credentials()).rejects.toMatchObject({ name: 'CredentialsUnavailable' });
  });

  test.for([
    ['is up', outage],
    ['throttles no more', { name: 'Throttling', $metadata: { httpStatusCode: 400 } }],
  ])('are available again as soon as STS %s', async ([, failure]) => {
    const { credentials, pass, failWith } = openRole();
    failWith(failure as object);
    await expect(credentials()).rejects.toMatchObject({ name: 'CredentialsUnavailable' });

    failWith(undefined);
    pass(1_000);

    await expect(credentials()).resolves.toMatchObject({ accessKeyId: 'key-2' });
  });

  test('of a refused role cause one AssumeRole a minute at most', async () => {
    const { credentials, calls, pass, failWith } = openRole();
    failWith(refused);

    for (let second = 0; second < 120; second += 1) {
      await expect(credentials()).rejects.toMatchObject({ name: 'CredentialsRefused' });
      pass(1_000);
    }

    expect(calls()).toBe(2);
  });

  test('are renewed once when AWS refuses them in many calls at once', async () => {
    const { credentials, calls } = openRole();
    await credentials();

    const all = await Promise.all([
      credentials({ forceRefresh: true }),
      credentials({ forceRefresh: true }),
      credentials(),
    ]);

    expect(all.map((keys) => keys.accessKeyId)).toEqual(['key-2', 'key-2', 'key-2']);
    expect(calls()).toBe(2);
  });

  test('are unavailable when the answer of STS has no keys', async () => {
    const credentials = makeAssumedRoleCredentials({
      elapsed: () => 0,
      assumeRole: async () => ({ $metadata: {} }),
    });

    await expect(credentials()).rejects.toMatchObject({ name: 'CredentialsUnavailable' });
  });
});
