import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';

import type { Principal } from '#auth/principal.ts';
import { openGuard, requestWith, settingsOf } from '../guard.ts';
import { type Algorithm, openIssuer } from '../issuer.ts';
import { makeTime } from '../time.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Opens an issuer and an authentication that trusts it, with one clock. */
async function openBoth(settings: object = {}) {
  const time = makeTime(1);
  const issuer = await openIssuer(time);
  const guard = await openGuard({ issuers: [{ ...settingsOf(issuer), ...settings }] }, time);
  const second = () => time.now() / 1_000;
  return {
    time,
    issuer,
    guard,
    second,
    async [Symbol.asyncDispose]() {
      await guard[Symbol.asyncDispose]();
      await issuer[Symbol.asyncDispose]();
    },
  };
}

describe('a token', () => {
  test.for([
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
  ] as Algorithm[])('identifies the caller when it is signed with %s', async (alg) => {
    await using issuer = await openIssuer();
    issuer.rotate(alg);
    await using guard = await openGuard({ issuers: [settingsOf(issuer)] });

    const principal = await guard.ofToken(issuer.token({}, { alg }));

    expect(principal).toMatchObject({
      id: `${issuer.url}#alice`,
      issuer: issuer.url,
      subject: 'alice',
    });
  });

  test.for([
    ['the scheme in small letters', 'bearer '],
    ['the scheme in capitals', 'BEARER '],
    ['more than one space', 'Bearer   '],
  ])('is accepted with %s', async ([, scheme]) => {
    await using both = await openBoth();
    const { issuer, guard } = both;

    const request = requestWith(['AUTHORIZATION', scheme + issuer.token()]);

    expect(await guard.authenticate(request)).toMatchObject({ subject: 'alice' });
  });

  test.for([undefined, 'JWT', 'jwt', 'at+jwt', 'application/at+jwt'])(
    'is accepted with the type %s',
    async (typ) => {
      await using both = await openBoth();
      const { issuer, guard } = both;

      const found = await guard.verify(issuer.token({}, { header: { typ } }));

      expect(found).toBe(`${issuer.url}#alice`);
    },
  );

  test('identifies issuer and subject when there are several issuers', async () => {
    await using one = await openIssuer();
    await using other = await openIssuer();
    await using guard = await openGuard({ issuers: [settingsOf(one), settingsOf(other)] });

    const ids = [await guard.verify(one.token()), await guard.verify(other.token())];

    expect(ids).toEqual([`${one.url}#alice`, `${other.url}#alice`]);
  });
});

describe('tolerates one minute of clock difference:', () => {
  test.for([
    ['expired 59 s ago', { exp: -59 }, 'alice'],
    ['expired 60 s ago', { exp: -60 }, 'ERR_JWT_EXPIRED exp'],
    ['good from in 60 s on', { nbf: 60 }, 'alice'],
    ['good from in 61 s on', { nbf: 61 }, 'ERR_JWT_CLAIM_VALIDATION_FAILED nbf'],
  ] as const)('%s', async ([, offsets, expected]) => {
    await using both = await openBoth();
    const { issuer, guard, second } = both;
    const times = Object.entries(offsets).map(([name, offset]) => [name, second() + offset]);

    const found = await guard.verify(issuer.token(Object.fromEntries(times)));

    expect(found.split('#').at(-1)).toBe(expected);
  });
});

describe('the audience of a token', () => {
  test.for([
    ['one of its audiences', {}, { aud: ['payments', 'log-export-gateway'] }],
    ['one of ours', { audiences: ['old-name', 'log-export-gateway'] }, {}],
    [
      'in a claim of another name, as Cognito has it',
      { audienceClaim: 'client_id' },
      { aud: undefined, client_id: 'log-export-gateway' },
    ],
    [
      'in a list under another name',
      { audienceClaim: 'resource' },
      { resource: ['x', 'log-export-gateway'] },
    ],
  ] as const)('may be %s', async ([, settings, claims]) => {
    await using both = await openBoth(settings);
    const { issuer, guard } = both;

    expect(await guard.verify(issuer.token(claims))).toBe(`${issuer.url}#alice`);
  });

  test('is not read from aud when another claim is configured', async () => {
    await using both = await openBoth({ audienceClaim: 'client_id' });
    const { issuer, guard } = both;

    const found = [
      await guard.verify(issuer.token()),
      await guard.verify(issuer.token({ client_id: 'payments' })),
    ];

    expect(found).toEqual(Array(2).fill('wrong audience'));
  });
});

describe('groups', () => {
  test.for([
    ['a list', {}, { groups: ['a', 'b'] }, ['a', 'b']],
    ['one text', {}, { groups: 'a, b' }, ['a, b']],
    ['absent', {}, {}, []],
    ['null', {}, { groups: null }, []],
    ['not all texts', {}, { groups: ['a', null, { b: 1 }, ['c']] }, ['a']],
    [
      'in another claim',
      { groupsClaim: 'cognito:groups' },
      { 'cognito:groups': ['a'], groups: ['b'] },
      ['a'],
    ],
    [
      'inside an object',
      { groupsClaim: 'realm_access.roles' },
      { realm_access: { roles: ['a'] } },
      ['a'],
    ],
  ] as const)('are read: %s', async ([, settings, claims, groups]) => {
    await using both = await openBoth(settings);

    const principal = await both.guard.ofToken(both.issuer.token(claims));

    expect(principal.groups).toEqual(groups);
  });
});

describe('claims', () => {
  test('are lists of texts by path', async () => {
    await using both = await openBoth();
    const { issuer, guard } = both;
    const token = issuer.token({
      jti: 'each token its own',
      nbf: 0,
      email_verified: true,
      level: 3,
      scope: 'read write',
      nothing: null,
      realm_access: { roles: ['exporter', 'admin'] },
      'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'api', deep: { er: 1 } } },
    });

    const { claims } = await guard.ofToken(token);

    expect(claims).toEqual({
      iss: [issuer.url],
      aud: ['log-export-gateway'],
      sub: ['alice'],
      email_verified: ['true'],
      level: ['3'],
      scope: ['read write'],
      'realm_access.roles': ['exporter', 'admin'],
      'kubernetes.io.namespace': ['shop'],
      'kubernetes.io.serviceaccount.name': ['api'],
    });
  });

  test('are limited to a hundred, without a limit for groups', async () => {
    await using both = await openBoth();
    const many = Array.from({ length: 150 }, (_, index) => [`c${index}`, 'x']);

    const { claims, groups } = await both.guard.ofToken(
      both.issuer.token({ ...Object.fromEntries(many), groups: ['a'] }),
    );

    expect(Object.keys(claims)).toHaveLength(100);
    expect(groups).toEqual(['a']);
  });

  test('omit long texts and control characters', async () => {
    await using both = await openBoth();
    const mixed = ['x'.repeat(1_000), 'x'.repeat(1_001), 'a\u001bb', '\ud800', 'good'];

    const { claims } = await both.guard.ofToken(both.issuer.token({ mixed, bad: 'a\nb' }));

    expect(claims.mixed).toEqual(['x'.repeat(1_000), 'good']);
    expect(claims).not.toHaveProperty('bad');
  });

  test('do not change other objects when they are named like members of Object', async () => {
    await using both = await openBoth();
    const claim = JSON.parse('{ "__proto__": { "polluted": "yes" }, "constructor": "x" }');

    const principal = await both.guard.ofToken(both.issuer.token({ extra: claim }));

    expect(principal.subject).toBe('alice');
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });
});

describe('a verified token', () => {
  test('is cached for a minute: the same caller is the same object', async () => {
    await using both = await openBoth();
    const { issuer, guard, time } = both;
    const token = issuer.token();

    const first = await guard.ofToken(token);
    await time.advance(59_999);
    const again = await guard.ofToken(token);
    await time.advance(1);
    const later = await guard.ofToken(token);

    expect(again).toBe(first);
    expect(later).not.toBe(first);
    expect(later).toEqual(first);
  });

  test('is not cached beyond its expiry', async () => {
    await using both = await openBoth();
    const { issuer, guard, time, second } = both;
    const token = issuer.token({ exp: second() + 1 });

    const first = await guard.ofToken(token);
    await time.advance(1_000);
    const inLeeway = await guard.ofToken(token);
    await time.advance(60_000);
    const afterwards = await guard.verify(token);

    expect(inLeeway).not.toBe(first);
    expect(afterwards).toBe('ERR_JWT_EXPIRED exp');
  });

  test('is evicted by later ones of its caller: twenty are cached', async () => {
    await using both = await openBoth();
    const { issuer, guard } = both;
    const tokens = Array.from({ length: 21 }, (_, jti) => issuer.token({ jti }));
    const other = issuer.token({ sub: 'other' });
    const ofOther = await guard.ofToken(other);
    const first = await guard.ofToken(tokens[0] ?? '');

    for (const token of tokens.slice(1, 20)) await guard.ofToken(token);
    const among = await guard.ofToken(tokens[0] ?? '');
    await guard.ofToken(tokens[20] ?? '');
    const evicted = await guard.ofToken(tokens[0] ?? '');

    expect(among).toBe(first);
    expect(evicted).not.toBe(first);
    expect(await guard.ofToken(other)).toBe(ofOther);
  });

  test('is evicted by later ones of other callers, of which two million characters are cached', async () => {
    await using both = await openBoth();
    const { issuer, guard } = both;
    const groups = Array.from({ length: 280 }, () => randomUUID()); // some 14,500 characters
    const tokens = Array.from({ length: 200 }, (_, index) =>
      issuer.token({ sub: `caller-${index}`, groups }),
    );
    const verified = [];
    for (const token of tokens) verified.push(await guard.ofToken(token));

    // The newest first: a token that is verified again evicts the oldest one.
    const cached = [];
    for (const index of tokens.keys().toArray().reverse()) {
      const again = await guard.ofToken(tokens[index] ?? '');
      if (again === verified[index]) cached.push(index);
    }

    expect(cached.length * (tokens[0]?.length ?? 0)).toBeGreaterThan(1_500_000);
    expect(cached.length * (tokens[0]?.length ?? 0)).toBeLessThan(2_097_152);
  });

  test('takes no memory when it has expired and another token is verified', async () => {
    await using both = await openBoth();
    const { issuer, guard, time } = both;
    const groups = Array.from({ length: 140 }, () => randomUUID());
    const verified: WeakRef<Principal>[] = [];
    for (let index = 0; index < 60; index += 1) {
      const token = issuer.token({ sub: `caller-${index}`, groups });
      verified.push(new WeakRef(await guard.ofToken(token)));
    }

    await time.advance(60_001);
    await guard.ofToken(issuer.token({ sub: 'later' }));
    await new Promise(setImmediate); // references of finished functions
    collectGarbage();

    // The last ones may still be on a stack.
    expect(verified.slice(0, 50).filter((caller) => caller.deref() !== undefined)).toEqual([]);
  });

  test('does not validate another token', async () => {
    await using both = await openBoth();
    const { issuer, guard } = both;
    const token = issuer.token();
    await guard.ofToken(token);

    const found = await guard.verify(`${token.slice(0, -2)}AA`);

    expect(found).toBe('ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
  });
});
