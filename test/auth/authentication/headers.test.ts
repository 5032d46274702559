import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { temporaryDir } from '../../database/homes.ts';
import { openWorld, type World } from '../../world.ts';
import { type Guard, openGuard, requestWith, settingsOf } from '../guard.ts';
import { type Issuer, openIssuer } from '../issuer.ts';

// Headers that other services trust as an identity, because a proxy sets them.
const claimsToBe: Record<string, string[]> = {
  'X-Forwarded-For': ['127.0.0.1', '10.0.0.1, 127.0.0.1'],
  'X-Real-Ip': ['127.0.0.1'],
  Forwarded: ['for=127.0.0.1;by=gateway;proto=https'],
  'X-Forwarded-User': ['admin'],
  'X-Forwarded-Client-Cert': [
    'By=spiffe://gateway;URI=spiffe://admin',
    'Hash=00;Subject="CN=admin"',
  ],
  'X-Client-Cert': ['-----BEGIN CERTIFICATE-----'],
  'X-Ssl-Client-Verify': ['SUCCESS'],
  'X-Amzn-Mtls-Clientcert-Subject': ['CN=admin'],
  'X-Amzn-Oidc-Identity': ['admin'],
  'X-User-Id': ['admin', '0'],
  'X-Original-User': ['admin'],
  'X-Remote-User': ['admin'],
  'X-Request-Id': ['7b0f8f2e-0000-4000-8000-000000000000'],
  'X-Tenant': ['admin'],
  'X-Groups': ['admins'],
  'Proxy-Authorization': ['Basic YWRtaW46YWRtaW4='],
  'X-Authorization': ['Bearer admin'],
  'X-Test-Caller': ['admin'],
  Cookie: ['session=admin; user=admin'],
};
const spoofs = Object.entries(claimsToBe).flatMap(([name, values]) =>
  values.map((value): [string, string] => [name, value]),
);

/** The n-th combination: the bits of a pseudo-random number that is the same in each run. */
function combination(n: number): Record<string, string> {
  const bits = createHash('sha256').update(String(n)).digest();
  const chosen = spoofs.filter((_, index) => ((bits[index] ?? 0) & 1) === 1);
  return Object.fromEntries(chosen);
}

let issuer: Issuer;
let guard: Guard;
let world: World;
beforeAll(async () => {
  issuer = await openIssuer();
  guard = await openGuard({ issuers: [settingsOf(issuer)] });
  world = await openWorld({ access: guard.access });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await guard[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

describe('two hundred combinations of identity headers', () => {
  const combinations = Array.from({ length: 200 }, (_, n) => combination(n));

  test('change neither the caller nor the request id', async () => {
    const authorization = `Bearer ${issuer.token()}`;

    for (const headers of combinations) {
      const answer = await world.call('GET', '/targets', undefined, { ...headers, authorization });
      expect(answer.status).toBe(200);
      expect(world.log.at(-1)).toMatchObject({
        principal: `${issuer.url}#alice`,
        requestId: answer.headers.get('x-request-id'),
      });
      expect(answer.headers.get('x-request-id')).not.toBe(headers['X-Request-Id']);
    }

    expect(new Set(combinations.map((headers) => JSON.stringify(headers))).size).toBe(200);
  });

  test('are not accepted as credentials', async () => {
    for (const headers of combinations) {
      const answer = await world.call('GET', '/targets', undefined, headers);
      expect(answer.status).toBe(401);
      expect(world.log.at(-1)?.principal).toBe('anonymous');
    }
  });

  test('have no effect when authentication is off', async () => {
    await using open = await openWorld();

    for (const headers of combinations.slice(0, 20)) {
      await open.call('GET', '/targets', undefined, { ...headers, authorization: 'Bearer x' });
      expect(open.log.at(-1)).toMatchObject({ status: 200, principal: 'anonymous' });
    }
  });
});

describe('a gateway with several methods', () => {
  const openBoth = async () => {
    const apiKeysFile = join(temporaryDir(), 'api-keys.json');
    const sha256 = createHash('sha256').update('the key').digest('hex');
    writeFileSync(apiKeysFile, JSON.stringify([{ name: 'payments', sha256 }]));
    const issuers = [settingsOf(issuer)];
    return openGuard({ methods: ['jwt', 'api-key', 'mtls'], issuers, apiKeysFile });
  };
  const challengesTo = (both: Guard, rawHeaders: string[]) =>
    Promise.try(both.authenticate, requestWith(rawHeaders)).then(
      ({ id }) => id,
      (problem) => problem.members.challenges,
    );
  const all = ['Bearer', 'ApiKey', 'ClientCertificate'].map(
    (scheme) => `${scheme} realm="log-export-gateway"`,
  );

  test('accepts each of them', async () => {
    await using both = await openBoth();

    const ids = [
      await challengesTo(both, ['Authorization', `Bearer ${issuer.token()}`]),
      await challengesTo(both, ['X-Api-Key', 'the key']),
    ];

    expect(ids).toEqual([`${issuer.url}#alice`, 'api-key#payments']);
  });

  test.for([
    ['nothing', [], [undefined, undefined, undefined]],
    ['a bad token', ['Authorization', 'Bearer a.b.c'], ['invalid_token', undefined, undefined]],
    ['a bad key', ['x-api-key', 'x'], [undefined, 'invalid_key', undefined]],
    [
      'both at once, each of them good',
      ['Authorization', 'TOKEN', 'X-Api-Key', 'the key'],
      Array(3).fill('invalid_request'),
    ],
    [
      'the same key twice',
      ['X-Api-Key', 'the key', 'x-api-key', 'the key'],
      Array(3).fill('invalid_request'),
    ],
    ['an empty key', ['X-Api-Key', ''], Array(3).fill('invalid_request')],
  ] as [string, string[], (string | undefined)[]][])(
    'returns a challenge for each method, with the error at the failed one: %s',
    async ([, rawHeaders, errors]) => {
      await using both = await openBoth();
      const sent = rawHeaders.map((text) => text.replace('TOKEN', `Bearer ${issuer.token()}`));

      const challenges = await challengesTo(both, sent);

      expect(challenges).toEqual(
        all.map((challenge, index) =>
          errors[index] === undefined ? challenge : `${challenge}, error="${errors[index]}"`,
        ),
      );
    },
  );

  test('refuses a token when only keys are configured', async () => {
    await using both = await openGuard({ methods: ['mtls'] });

    const challenges = await challengesTo(both, ['Authorization', `Bearer ${issuer.token()}`]);

    expect(challenges).toEqual([`${all[2]}, error="invalid_request"`]);
  });
});
