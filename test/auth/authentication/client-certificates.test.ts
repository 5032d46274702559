import { describe, expect, test } from 'vitest';

import { openWorld } from '../../world.ts';
import {
  type AlternativeName,
  type CertificateOptions,
  directoryName,
  makeAuthority,
  userPrincipalName,
} from '../certificates.ts';
import { openGuard, settingsOf } from '../guard.ts';
import { openIssuer } from '../issuer.ts';
import { connectTls, makeCaller, openTlsFiles } from '../tls-client.ts';

const authority = makeAuthority('who signs callers');
const spiffe: AlternativeName = ['uri', 'spiffe://example.org/ns/shop/sa/api'];

/** Opens a service that requests client certificates of an authority. */
async function openMutual({
  now = Date.now,
  issuers = [] as Parameters<typeof settingsOf>[0][],
} = {}) {
  const files = await openTlsFiles({ clientCa: authority.cert });
  const methods = issuers.length > 0 ? (['mtls', 'jwt'] as const) : (['mtls'] as const);
  const { clientAuthorities } = files.tls;
  const guard = await openGuard(
    { methods, issuers: issuers.map(settingsOf) },
    { now, clientAuthorities },
  );
  const world = await openWorld({ tls: files.tls, access: guard.access });
  return {
    files,
    world,
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await guard[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
    },
  };
}

/** Sends a request with a certificate; returns the caller id, or the reason of the refusal. */
async function verify(options: CertificateOptions, by = authority) {
  await using mutual = await openMutual();
  const { world } = mutual;
  using caller = makeCaller(world.port, by.issue(options));
  const { status, challenge, body } = await caller.ask();
  const line = world.log.at(-1);
  return {
    status,
    challenge,
    detail: body.detail,
    reason: line?.reason,
    principal: line?.principal,
  };
}

describe('a client certificate', () => {
  test.for([
    ['its one URI', [spiffe], `mtls#${spiffe[1]}`],
    [
      'its URI, whatever else it has',
      [['dns', 'a.example'], spiffe, ['dns', 'b.example']],
      `mtls#${spiffe[1]}`,
    ],
    [
      'its one DNS name where it has no URI',
      [
        ['dns', 'api.shop.example'],
        ['email', 'a@b.example'],
      ],
      'mtls#api.shop.example',
    ],
    ['its DNS name in lower case', [['dns', 'API.Shop.example']], 'mtls#api.shop.example'],
    ['its DNS name without the last dot', [['dns', 'api.shop.example.']], 'mtls#api.shop.example'],
    [
      'its URI, scheme and host in lower case',
      [['uri', 'SPIFFE://Shop.example/Api']],
      'mtls#spiffe://shop.example/Api',
    ],
    ['a URI that is a URN', [['uri', 'urn:example:Api']], 'mtls#urn:example:Api'],
  ] as [string, AlternativeName[], string][])(
    'identifies the caller by %s',
    async ([, names, id]) => {
      expect(await verify({ names })).toMatchObject({ status: 200, principal: id });
    },
  );

  test('is verified once per connection', async () => {
    await using mutual = await openMutual();
    const { world } = mutual;
    using one = makeCaller(world.port, authority.issue({ names: [spiffe] }));
    using other = makeCaller(world.port, authority.issue({ names: [['uri', 'spiffe://other']] }));

    for (const caller of [one, other, one, other]) await caller.ask();

    const callers = world.log.flatMap(({ principal }) => principal ?? []);
    expect(callers).toEqual(
      Array(2)
        .fill([`mtls#${spiffe[1]}`, 'mtls#spiffe://other'])
        .flat(),
    );
  });

  test('is refused when it has expired, also on an open connection', async () => {
    let now = Date.now();
    await using mutual = await openMutual({ now: () => now });
    const { world } = mutual;
    const to = Math.ceil(now / 1_000) * 1_000 + 60_000;
    using caller = makeCaller(world.port, authority.issue({ names: [spiffe], to }));

    const before = await caller.ask();
    now = to;
    const after = await caller.ask();

    expect([before.status, after.status]).toEqual([200, 401]);
    expect(world.log.at(-1)?.reason).toBe('it has expired since the connection was made');
  });

  test('is not needed on public routes', async () => {
    await using mutual = await openMutual();
    using caller = makeCaller(mutual.world.port);

    expect(await caller.ask('/health/live')).toMatchObject({ status: 200 });
  });

  test('is requested when it is missing', async () => {
    await using mutual = await openMutual();
    using caller = makeCaller(mutual.world.port);

    expect(await caller.ask()).toMatchObject({
      status: 401,
      challenge: 'ClientCertificate realm="log-export-gateway"',
      body: { detail: 'The request has no credentials.' },
    });
  });
});

describe('a client certificate is refused:', () => {
  const stranger = makeAuthority('who signs callers'); // the same name, another key
  const many = 'not exactly one URI or DNS name';
  const bad = 'its name contains an invalid character';

  test.for([
    [
      'of somebody else',
      { names: [spiffe] },
      'not authorized: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      makeAuthority('somebody else'),
    ],
    [
      'of somebody else of the same name',
      { names: [spiffe] },
      'not authorized: CERT_SIGNATURE_FAILURE',
      stranger,
    ],
    ['expired', { names: [spiffe], to: Date.now() - 60_000 }, 'not authorized: CERT_HAS_EXPIRED'],
    [
      'not yet good',
      { names: [spiffe], from: Date.now() + 60_000 },
      'not authorized: CERT_NOT_YET_VALID',
    ],
    ['for servers', { names: [spiffe], use: 'server' }, 'not authorized: INVALID_PURPOSE'],
    ['without a name', {}, many],
    [
      'with nothing but a common name and an address',
      { names: [['ip', '\x01\x02\x03\x04']] },
      many,
    ],
    ['with two URIs', { names: [spiffe, ['uri', 'spiffe://other']] }, many],
    ['with the same URI twice', { names: [spiffe, spiffe] }, many],
    [
      'with two URIs beside a DNS name',
      { names: [spiffe, ['uri', 'x:y'], ['dns', 'a.example']] },
      many,
    ],
    [
      'with two DNS names',
      {
        names: [
          ['dns', 'a.example'],
          ['dns', 'b.example'],
        ],
      },
      many,
    ],
    [
      'with a URI for a DNS name',
      { names: [['dns', 'spiffe://example.org/ns/shop/sa/api']] },
      'its DNS name is invalid',
    ],
    [
      'with a wildcard for a DNS name',
      { names: [['dns', '*.example']] },
      'its DNS name is invalid',
    ],
    ['with a port in its DNS name', { names: [['dns', 'a.example:1']] }, 'its DNS name is invalid'],
    ['with an empty label', { names: [['dns', 'a..example']] }, 'its DNS name is invalid'],
    ['with a host name for a URI', { names: [['uri', 'api.shop.example']] }, 'its URI is invalid'],
    ['with a user in its URI', { names: [['uri', 'spiffe://a@b/c']] }, 'its URI is invalid'],
    ['with an empty URI', { names: [['uri', '']] }, bad],
    ['with a # in its URI', { names: [['uri', 'spiffe://a#b']] }, bad],
    ['with a space in its URI', { names: [['uri', 'spiffe://a b']] }, bad],
    ['with a line break in its URI', { names: [['uri', 'spiffe://a\nb']] }, bad],
    ['with NUL in its URI', { names: [['uri', 'spiffe://good\0.evil']] }, bad],
    ['with NUL in its DNS name', { names: [['dns', 'good.example\0.evil']] }, bad],
    ['with quotes in its URI', { names: [['uri', 'spiffe://a"']] }, bad],
    ['with a backslash in its URI', { names: [['uri', 'spiffe://a\\b']] }, bad],
    ['with a comma in its URI', { names: [['uri', 'spiffe://a,b']] }, bad],
    ['with bytes above ASCII in its URI', { names: [['uri', 'spiffe://\xe9']] }, bad],
    ['with a URI that is too long', { names: [['uri', `spiffe://${'x'.repeat(504)}`]] }, bad],
    ['with a URI inside a DNS name', { names: [['dns', `x, URI:${spiffe[1]}`]] }, bad],
    [
      'with a URI inside a directory name',
      { names: [['directory', directoryName(`x, URI:${spiffe[1]}`)]] },
      many,
    ],
    [
      'with a URI inside a name of a user',
      { names: [['other', userPrincipalName(`x, URI:${spiffe[1]}`)]] },
      many,
    ],
    ['with a URI inside an address of mail', { names: [['email', `x, URI:${spiffe[1]}`]] }, many],
  ] as [string, CertificateOptions, string, typeof authority?][])(
    '%s',
    async ([, options, reason, by]) => {
      expect(await verify(options, by)).toEqual({
        status: 401,
        challenge: 'ClientCertificate realm="log-export-gateway", error="invalid_certificate"',
        detail: 'This service does not accept the client certificate.',
        reason,
        principal: 'anonymous',
      });
    },
  );
});

describe('the client CA file', () => {
  const successor = makeAuthority('who signs callers now');

  test('applies to new connections when it changes', async () => {
    await using mutual = await openMutual();
    const { world, files } = mutual;
    using old = makeCaller(world.port, authority.issue({ names: [spiffe] }));
    using next = makeCaller(world.port, successor.issue({ names: [spiffe] }));
    using tooEarly = makeCaller(world.port, successor.issue({ names: [spiffe] }));
    const before = await tooEarly.ask();

    files.write({ clientCa: successor.cert });
    await files.time.advance(2_000);

    expect(before.status).toBe(401);
    expect((await next.ask()).status).toBe(200);
    expect((await old.ask()).status).toBe(401);
  });

  test('applies to open connections: a certificate of a removed CA is refused', async () => {
    await using mutual = await openMutual();
    const { world, files } = mutual;
    using old = makeCaller(world.port, authority.issue({ names: [spiffe] }));
    const before = await old.ask();

    files.write({ clientCa: successor.cert });
    await files.time.advance(2_000);
    const after = await old.ask();
    files.write({ clientCa: authority.cert });
    await files.time.advance(2_000);
    const again = await old.ask();

    expect([before, after, again].map(({ status }) => status)).toEqual([200, 401, 200]);
    expect(world.log.map(({ reason }) => reason)).toContain(
      'a CA certificate was removed after the connection was made',
    );
  });

  test('is not bypassed by a CA of the same name that a caller sends', async () => {
    const namesake = makeAuthority('who signs callers');
    await using mutual = await openMutual();
    const { world, files } = mutual;
    const { cert, key } = authority.issue({ names: [spiffe] });
    using old = makeCaller(world.port, { cert: cert + namesake.cert, key });
    const before = await old.ask();

    files.write({ clientCa: namesake.cert });
    await files.time.advance(2_000);
    const after = await old.ask();

    expect([before.status, after.status]).toEqual([200, 401]);
  });

  test('accepts intermediate certificates that a caller sends, also when the file changes', async () => {
    await using mutual = await openMutual();
    const { world, files } = mutual;
    const between = authority.issueAuthority('between');
    const { cert, key } = between.issue({ names: [spiffe] });
    using caller = makeCaller(world.port, { cert: cert + between.cert, key });
    const before = await caller.ask();

    files.write({ clientCa: successor.cert + authority.cert });
    await files.time.advance(2_000);
    const both = await caller.ask();
    files.write({ clientCa: successor.cert });
    await files.time.advance(2_000);
    const after = await caller.ask();

    expect([before, both, after].map(({ status }) => status)).toEqual([200, 200, 401]);
  });

  test('may contain two CAs, so that a rotation locks nobody out', async () => {
    await using mutual = await openMutual();
    const { world, files } = mutual;
    using old = makeCaller(world.port, authority.issue({ names: [spiffe] }));
    using next = makeCaller(world.port, successor.issue({ names: [spiffe] }));

    files.write({ clientCa: authority.cert + successor.cert });
    await files.time.advance(2_000);

    expect([(await old.ask()).status, (await next.ask()).status]).toEqual([200, 200]);
  });

  test('keeps its previous version while it is empty: no other caller is accepted', async () => {
    await using mutual = await openMutual();
    const { world, files } = mutual;
    using good = makeCaller(world.port, authority.issue({ names: [spiffe] }));
    using bad = makeCaller(world.port, successor.issue({ names: [spiffe] }));

    files.write({ clientCa: '' });
    await files.time.advance(2_000);

    expect([(await good.ask()).status, (await bad.ask()).status]).toEqual([200, 401]);
    expect(files.log[0]).toMatchObject({ level: 'error' });
  });

  test.for(['TLSv1.2', 'TLSv1.3'] as const)(
    'is checked at every connection: a session of %s is not resumed',
    async (maxVersion) => {
      await using mutual = await openMutual();
      const { world } = mutual;
      const identity = { ...authority.issue({ names: [spiffe] }), maxVersion };

      const { session } = await connectTls(world.port, identity);
      const again = await connectTls(world.port, { ...identity, session });

      expect(again.isResumed).toBe(false);
    },
  );
});

describe('a request with client certificate and credential', () => {
  test('is decided by the token, whether valid or not', async () => {
    await using issuer = await openIssuer();
    await using mutual = await openMutual({ issuers: [issuer] });
    const { world } = mutual;
    using caller = makeCaller(world.port, authority.issue({ names: [spiffe] }));
    const ask = (token: string) =>
      caller.ask('/export-tasks', { authorization: `Bearer ${token}` });

    await caller.ask();
    await ask(issuer.token());
    const refused = await ask(issuer.token({ aud: 'payments' }));

    expect(world.log.flatMap(({ principal }) => principal ?? [])).toEqual([
      `mtls#${spiffe[1]}`,
      `${issuer.url}#alice`,
      'anonymous',
    ]);
    expect(refused.challenge).toBe(
      'ClientCertificate realm="log-export-gateway", Bearer realm="log-export-gateway", error="invalid_token"',
    );
  });

  test('is accepted with a valid token although the certificate is refused', async () => {
    await using issuer = await openIssuer();
    await using mutual = await openMutual({ issuers: [issuer] });
    const { world } = mutual;
    using caller = makeCaller(world.port, makeAuthority('x').issue({ names: [spiffe] }));

    const { status } = await caller.ask('/export-tasks', {
      authorization: `Bearer ${issuer.token()}`,
    });

    expect([status, world.log.at(-1)?.principal]).toEqual([200, `${issuer.url}#alice`]);
  });
});
