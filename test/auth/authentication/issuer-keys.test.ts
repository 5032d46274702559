import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { readJwksUri } from '#auth/authentication/jwt/issuer-keys.ts';
import type { AuthenticationOptions } from '#auth/authentication/open-authentication.ts';
import type { IssuerSettings } from '#auth/authentication/settings.ts';
import { temporaryDir } from '../../database/homes.ts';
import { sendInterimAnswers } from '../../outbound/interim-answers.ts';
import { type Guard, openGuard, settingsOf } from '../guard.ts';
import { type Issuer, makeKey, openIssuer } from '../issuer.ts';
import { makeTime, type Time } from '../time.ts';

interface Both extends AsyncDisposable {
  time: Time;
  issuer: Issuer;
  guard: Guard;
}

/** Opens an issuer and an authentication that trusts it, with one clock; `before` prepares the issuer. */
async function openBoth(
  settings: Partial<IssuerSettings> = {},
  before: (issuer: Issuer) => void = () => {},
  options: Partial<AuthenticationOptions> = {},
): Promise<Both> {
  const time = makeTime(1);
  const issuer = await openIssuer(time);
  before(issuer);
  const issuers = [{ ...settingsOf(issuer), ...settings }];
  const guard = await openGuard({ issuers }, { ...time, ...options });
  return {
    time,
    issuer,
    guard,
    async [Symbol.asyncDispose]() {
      await guard[Symbol.asyncDispose]();
      await issuer[Symbol.asyncDispose]();
    },
  };
}

const minutes = 60_000;

describe('a new key of an issuer', () => {
  test('is fetched when a token names it', async () => {
    await using both = await openBoth();
    const { issuer, guard, time } = both;
    const old = issuer.token();
    await guard.ofToken(old);
    await time.advance(minutes);

    issuer.rotate();
    const found = [await guard.verify(issuer.token()), await guard.verify(old)];

    expect(found).toEqual(Array(2).fill(`${issuer.url}#alice`));
    expect(issuer.fetches()).toBe(2);
  });

  test('is fetched once for many concurrent tokens', async () => {
    await using both = await openBoth();
    const { issuer, guard, time } = both;
    await time.advance(minutes);
    issuer.rotate();

    const tokens = Array.from({ length: 50 }, (_, index) => issuer.token({ sub: `s${index}` }));
    const found = await Promise.all(tokens.map((token) => guard.ofToken(token)));

    expect(found.map(({ subject }) => subject)).toEqual(tokens.map((_, index) => `s${index}`));
    expect(issuer.fetches()).toBe(2);
  });
});

test('fetches at most twice for ten thousand made-up key ids in a minute, and accepts valid tokens meanwhile', async () => {
  await using both = await openBoth();
  const { issuer, guard, time } = both;
  await time.advance(minutes);
  const before = issuer.fetches();
  const stranger = makeKey('ES256');
  const good = issuer.token();

  const refused = new Set<string>();
  const accepted = new Set<string>();
  for (let round = 0; round < 100; round += 1) {
    const forged = Array.from({ length: 100 }, (_, index) =>
      guard.verify(issuer.token({}, { key: { ...stranger, kid: `made-up-${round}-${index}` } })),
    );
    for (const reason of await Promise.all(forged)) refused.add(reason);
    accepted.add(await guard.verify(good));
    await time.advance(600);
  }

  expect([...refused]).toEqual(['ERR_JWKS_NO_MATCHING_KEY']);
  expect([...accepted]).toEqual([`${issuer.url}#alice`]);
  expect(issuer.fetches() - before).toBe(2);
});

test('does not fetch more often for made-up key ids while the issuer is down', async () => {
  await using both = await openBoth();
  const { issuer, guard, time } = both;
  await time.advance(minutes);
  issuer.goDown();
  const before = issuer.requests.length;

  for (let round = 0; round < 60; round += 1) {
    await guard.verify(issuer.token({}, { key: makeKey('EdDSA') }));
    await time.advance(1_000);
  }

  expect(issuer.requests.length - before).toBe(2);
});

describe('while an issuer is down', () => {
  test('its known keys stay valid for days', async () => {
    await using both = await openBoth();
    const { issuer, guard, time } = both;
    await time.advance(0);
    issuer.goDown();

    await time.advance(3 * 24 * 60 * minutes);

    expect(await guard.verify(issuer.token())).toBe(`${issuer.url}#alice`);
    expect(guard.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        issuer: issuer.url,
        err: expect.objectContaining({ code: 'ECONNRESET' }),
        msg: 'failed to fetch JWKS; the previous keys stay valid',
      }),
    );
  });

  test('since the start, its tokens get 503 and other callers do not wait', async () => {
    await using other = await openIssuer();
    await using time = Object.assign(makeTime(2), { async [Symbol.asyncDispose]() {} });
    await using issuer = await openIssuer(time);
    issuer.goDown();
    await using guard = await openGuard(
      { issuers: [settingsOf(issuer), settingsOf(other)] },
      { ...time, now: Date.now },
    );
    const token = issuer.token({ exp: Date.now() / 1_000 + 60 });
    await time.advance(0);

    const away = await guard.ofToken(token).catch((error) => error);
    const elsewhere = await guard.verify(other.token());
    issuer.goUp();
    await time.advance(1_000);
    const back = await guard.verify(token);

    expect(away).toMatchObject({
      slug: 'not-ready',
      detail: 'The service has not fetched the keys of the issuer of this token yet.',
      kind: { status: 503, isRetryable: true },
    });
    expect([elsewhere, back]).toEqual([`${other.url}#alice`, `${issuer.url}#alice`]);
  });

  test('since the start, its keys are fetched after 1, 2, 4 … 40 seconds', async () => {
    await using both = await openBoth({}, (issuer) => issuer.goDown());
    const { issuer, time } = both;

    const asked: number[] = [];
    for (let second = 0; second <= 160; second += 1) {
      await time.advance(second === 0 ? 0 : 1_000);
      if (issuer.requests.length > asked.length) asked.push(second);
    }

    expect(asked).toEqual([0, 1, 3, 7, 15, 31, 63, 103, 143]);
  });
});

describe('a key that an issuer has removed', () => {
  test('is refused within ten minutes, also for cached tokens', async () => {
    await using both = await openBoth();
    const { issuer, guard, time } = both;
    const token = issuer.token();
    issuer.rotate();
    await time.advance(3.5 * minutes);
    const before = await guard.verify(token);

    issuer.removeOldKeys();
    await time.advance(0.5 * minutes);
    const afterwards = await guard.verify(token);

    expect(before).toBe(`${issuer.url}#alice`);
    expect(afterwards).toBe('ERR_JWKS_NO_MATCHING_KEY');
  });

  test('is refused also when one fetch fails', async () => {
    await using both = await openBoth();
    const { issuer, guard, time } = both;
    const token = issuer.token();
    await time.advance(1 * minutes);
    issuer.rotate();
    issuer.removeOldKeys();

    issuer.goDown();
    await time.advance(4 * minutes);
    issuer.goUp();
    await time.advance(4 * minutes);

    expect(await guard.verify(token)).toBe('ERR_JWKS_NO_MATCHING_KEY');
  });

  test('is detected every four minutes; if no key is removed, tokens stay cached', async () => {
    await using both = await openBoth();
    const { issuer, guard, time } = both;
    await time.advance(3.9 * minutes);
    const token = issuer.token();
    const first = await guard.ofToken(token);

    await time.advance(0.2 * minutes);
    const again = await guard.ofToken(token);

    expect(issuer.fetches()).toBe(2);
    expect(again).toBe(first);
  });
});

describe('the JWKS', () => {
  test('is at the URL of the discovery document, or at jwksUri without discovery', async () => {
    await using discovered = await openBoth();
    await using issuer = await openIssuer();
    await using guard = await openGuard({
      issuers: [{ ...settingsOf(issuer), jwksUri: `${issuer.url}/keys` }],
    });

    const found = [
      await discovered.guard.verify(discovered.issuer.token()),
      await guard.verify(issuer.token()),
    ];

    expect(found).toEqual([`${discovered.issuer.url}#alice`, `${issuer.url}#alice`]);
    expect(discovered.issuer.requests.map(({ path }) => path)).toEqual([
      '/.well-known/openid-configuration',
      '/keys',
    ]);
    expect(issuer.requests.map(({ path }) => path)).toEqual(['/keys']);
  });

  test('is fetched with the current token of bearerTokenFile', async () => {
    const bearerTokenFile = join(temporaryDir(), 'token');
    writeFileSync(bearerTokenFile, 'first\n');
    await using both = await openBoth({ bearerTokenFile });
    const { issuer, time } = both;
    await time.advance(0);

    writeFileSync(bearerTokenFile, 'second\n');
    await time.advance(4 * minutes);

    expect(issuer.requests.map(({ authorization }) => authorization)).toEqual(
      ['first', 'first', 'second', 'second'].map((token) => `Bearer ${token}`),
    );
  });

  test('is fetched again after a read of bearerTokenFile that did not end', async () => {
    const reads: string[] = [];
    await using both = await openBoth({ bearerTokenFile: '/drive/token' }, () => {}, {
      fetchMs: 1,
      readFile: (path) => {
        reads.push(path);
        return new Promise(() => {});
      },
    });
    const { guard, time } = both;
    const failures = () => guard.log.filter(({ msg }) => String(msg).startsWith('failed to fetch'));

    await expect.poll(failures, { interval: 1 }).toHaveLength(1);
    await time.advance(minutes);

    await expect.poll(() => reads.length, { interval: 1 }).toBeGreaterThan(1);
    expect(JSON.stringify(failures())).toContain('bearerTokenFile cannot be read');
  });

  test('is found when the name of the issuer ends in a slash', async () => {
    await using issuer = await openIssuer();
    const name = `${issuer.url}/`;
    issuer.play((request, response) => {
      const jwk = { ...issuer.key().publicKey.export({ format: 'jwk' }), kid: issuer.key().kid };
      const discovery = { issuer: name, jwks_uri: `${issuer.url}/keys` };
      response.end(JSON.stringify(request.url === '/keys' ? { keys: [jwk] } : discovery));
    });
    await using guard = await openGuard({ issuers: [{ ...settingsOf(issuer), issuer: name }] });

    expect(await guard.verify(issuer.token({ iss: name }))).toBe(`${name}#alice`);
  });
});

describe('refuses an invalid answer of an issuer:', () => {
  const discovery = (issuer: Issuer, members: object) =>
    JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys`, ...members });

  test.for([
    ['a redirect', (issuer: Issuer) => [302, '', `${issuer.url}/elsewhere`], 'answered 302'],
    ['an error', () => [500, '{}'], 'answered 500'],
    ['no JSON', () => [200, '<html>'], 'not valid JSON'],
    ['nothing', () => [200, ''], 'Unexpected end of JSON input'],
    ['null', () => [200, 'null'], 'belongs to another issuer'],
    ['too much', () => [200, ' '.repeat(524_289)], 'more than 524288 bytes'],
    [
      'the document of another issuer',
      (issuer: Issuer) => [200, discovery(issuer, { issuer: 'https://other.example' })],
      'belongs to another issuer',
    ],
    ['no place of keys', (issuer: Issuer) => [200, discovery(issuer, { jwks_uri: 1 })], 'jwks_uri'],
    [
      'keys in a file',
      (issuer: Issuer) => [200, discovery(issuer, { jwks_uri: 'file:///etc/passwd' })],
      'jwks_uri',
    ],
    ['no set of keys', (issuer: Issuer) => [200, discovery(issuer, {})], 'malformed'],
  ] as [string, (issuer: Issuer) => [number, string, string?], string][])(
    '%s',
    async ([, answer, words]) => {
      await using both = await openBoth({}, (issuer) =>
        issuer.play((_request, response) => {
          const [status, body, location] = answer(issuer);
          response.writeHead(status, location === undefined ? {} : { location }).end(body);
        }),
      );
      const { issuer, guard, time } = both;
      await time.advance(0);

      expect(await guard.verify(issuer.token())).toBe('not-ready');
      expect(guard.log[0]).toMatchObject({
        level: 'warn',
        err: { message: expect.stringContaining(words) },
        msg: 'failed to fetch JWKS; all tokens of this issuer are rejected',
      });
      expect(issuer.requests.map(({ path }) => path)).not.toContain('/elsewhere');
    },
  );

  test('too many interim answers', async () => {
    await using both = await openBoth({}, (issuer) =>
      issuer.play((_request, response) =>
        sendInterimAnswers(response, { count: 1_000, end: () => response.end('{}') }),
      ),
    );
    const { issuer, guard, time } = both;
    await time.advance(0);

    expect(await guard.verify(issuer.token())).toBe('not-ready');
    expect(guard.log[0]).toMatchObject({ err: { message: 'too many interim answers' } });
  });

  test('silence', async () => {
    await using both = await openBoth({}, (issuer) => issuer.play(() => {}), { fetchMs: 50 });
    const { issuer, guard, time } = both;
    await time.advance(0);

    expect(await guard.verify(issuer.token())).toBe('not-ready');
    expect(guard.log[0]).toMatchObject({ err: { type: 'TimeoutError' } });
  });

  test('keys over plain HTTP when the issuer uses HTTPS', () => {
    const issuer = 'https://issuer.example';
    const jwks_uri = 'http://issuer.example/keys';

    expect(() => readJwksUri(issuer, { issuer, jwks_uri })).toThrow('no usable jwks_uri');
    expect(readJwksUri(issuer, { issuer, jwks_uri: 'https://cdn.example/keys' })).toContain('cdn');
  });
});

test('closes without waiting for an issuer that does not answer', async () => {
  const time = makeTime(1);
  await using issuer = await openIssuer(time);
  issuer.play(() => {});
  const guard = await openGuard({ issuers: [settingsOf(issuer)] }, { ...time, fetchMs: 600_000 });

  await guard[Symbol.asyncDispose]();

  expect(guard.log).toEqual([]);
});
