import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { toReturnPath } from '#ui/session/return-path.ts';
import {
  formTokenOf,
  readSession,
  toSetCookie,
  withSessionCredential,
} from '#ui/session/session.ts';
import { type Guard, openGuard, settingsOf } from '../auth/guard.ts';
import { type Issuer, openIssuer } from '../auth/issuer.ts';
import { openWorld, type World } from '../world.ts';
import { openKeysFile } from './keys-file.ts';
import { openVisitor } from './visitor.ts';

const key = 'the-key-of-ann-0123456789';

/** A request with a cookie. */
const requestWith = (cookie: string | undefined, more: Partial<IncomingMessage> = {}) =>
  ({ headers: { cookie }, rawHeaders: [], socket: {}, ...more }) as unknown as IncomingMessage;

describe('the cookie', () => {
  test.each([
    { kind: 'jwt', text: 'eyJhbGciOiJFUzI1NiJ9.e30.abc-_' } as const,
    { kind: 'api-key', text: 'a key; with = and ÿ' } as const,
    undefined,
  ])('keeps the session and its credential: %o', (credential) => {
    const session = { id: randomUUID(), ...(credential && { credential }) };

    const [pair] = toSetCookie(session, requestWith(undefined), '')?.split(';') ?? [];

    expect(readSession(requestWith(`other=1; ${pair}`))).toEqual(session);
  });

  test.each([
    ['none', undefined],
    ['an id of another form', 'log-export-session=1'],
    ['a credential of another kind', `log-export-session=${randomUUID()}.xabc`],
    ['text after the credential', `log-export-session=${randomUUID()}.jabc def`],
    ['two', `log-export-session=${randomUUID()}; log-export-session=${randomUUID()}`],
  ])('is not a session: %s', (_case, cookie) => {
    expect(readSession(requestWith(cookie))).toBeUndefined();
    const request = requestWith(cookie);
    expect(withSessionCredential(request)).toBe(request);
  });

  test('is not used if the request has a credential of its own', () => {
    const session = { id: randomUUID(), credential: { kind: 'jwt', text: 'a.b.c' } } as const;
    const cookie = toSetCookie(session, requestWith(undefined), '')?.split(';')[0];
    const rawHeaders = ['X-Api-Key', 'of-the-proxy'];

    const [alone, withKey] = [requestWith(cookie), requestWith(cookie, { rawHeaders })];

    expect(withSessionCredential(alone).rawHeaders).toEqual(['authorization', 'Bearer a.b.c']);
    expect(withSessionCredential(withKey)).toBe(withKey);
  });

  test('is for pages only, and hidden from scripts and other sites', () => {
    const set = toSetCookie({ id: randomUUID() }, requestWith(undefined), '/gateway') ?? '';

    expect(set.split('; ').slice(1)).toEqual([
      'Max-Age=43200',
      'Path=/gateway/ui',
      'HttpOnly',
      'SameSite=Strict',
    ]);
  });

  test.each([
    ['the connection', { socket: { encrypted: true } }],
    ['a proxy', { headers: { 'x-forwarded-proto': 'https' } }],
    ['the origin of the form', { headers: { origin: 'https://gateway.example.com' } }],
  ])('is secure over TLS, as %s says', (_case, facts) => {
    const request = requestWith(undefined, facts as Partial<IncomingMessage>);

    expect(toSetCookie({ id: randomUUID() }, request, '')).toMatch(/; Secure$/);
  });

  test('does not take a token that is too long for browsers', () => {
    const of = (length: number) =>
      toSetCookie(
        { id: randomUUID(), credential: { kind: 'jwt', text: 'x'.repeat(length) } },
        requestWith(undefined),
        '',
      );

    expect(of(4_096 - 'log-export-session='.length - 36 - 2)).toBeDefined();
    expect(of(4_096 - 'log-export-session='.length - 36 - 1)).toBeUndefined();
  });
});

test.each([
  ['/ui/jobs/1?state=failed', '/ui/jobs/1?state=failed'],
  [undefined, '/ui/targets'],
  ['//evil.example.com/ui/', '/ui/targets'],
  ['https://evil.example.com/ui/', '/ui/targets'],
  ['/\\evil.example.com/ui/', '/ui/targets'],
  ['/ui/../docs', '/ui/targets'],
  ['/ui/\r\nset-cookie: a=1', '/ui/set-cookie:%20a=1'],
  ['javascript:alert(1)', '/ui/targets'],
  ['/ui/sign-out', '/ui/targets'],
])('returns to %s after a sign-in at %s', (wanted, path) => {
  expect(toReturnPath(wanted)).toBe(path);
});

describe('with API keys and tokens', () => {
  let guard: Guard;
  let world: World;
  let issuer: Issuer;
  let now = Date.now();
  beforeAll(async () => {
    issuer = await openIssuer();
    const file = openKeysFile([{ name: 'ann', key }]);
    guard = await openGuard(
      { methods: ['api-key', 'jwt'], apiKeysFile: file.path, issuers: [settingsOf(issuer)] },
      { now: () => now },
    );
    world = await openWorld({ access: guard.access, jobs: {}, elapsed: () => now });
    world.canaries.plant('the key in a cookie', Buffer.from(key).toString('base64url'));
    world.canaries.plant('the key', key);
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await guard[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    now += 61_000; // a new budget of sign-ins
    world.audit.length = 0;
  });

  /** Opens a visitor that is at the sign-in. */
  async function atSignIn(next = '/ui/jobs?state=failed') {
    const visitor = openVisitor(world);
    const form = await visitor.get(`/ui/sign-in?next=${encodeURIComponent(next)}`);
    return { visitor, form };
  }

  test('a page leads to the sign-in, and the sign-in leads back', async () => {
    const visitor = openVisitor(world);

    const refused = await visitor.get('/ui/jobs?state=failed');
    const signInUrl = refused.headers.get('location') ?? '';
    const form = await visitor.get(signInUrl);
    const before = visitor.cookie;
    const signedIn = await visitor.post('/ui/sign-in', {
      ...form.hidden,
      kind: 'api-key',
      credential: ` ${key} `,
    });
    const page = await visitor.get(signedIn.headers.get('location') ?? '');

    expect([refused.status, signInUrl]).toEqual([
      303,
      '/ui/sign-in?next=%2Fui%2Fjobs%3Fstate%3Dfailed',
    ]);
    expect([signedIn.status, signedIn.headers.get('location')]).toEqual([
      303,
      '/ui/jobs?state=failed',
    ]);
    expect(page.status).toBe(200);
    expect(page.html).toContain('api-key#ann');
    expect(visitor.cookie).not.toContain(before?.split('=')[1]); // a new id
    for (const { html, headers } of [refused, form, page]) {
      expect(html + [...headers]).not.toContain(key);
    }
  });

  test('takes a token, which then is used by pages only', async () => {
    const { visitor, form } = await atSignIn();
    const token = await issuer.token();

    const { status } = await visitor.post('/ui/sign-in', {
      ...form.hidden,
      kind: 'jwt',
      credential: token,
    });
    const page = await visitor.get('/ui/targets');
    const api = await visitor.get('/targets', { accept: 'application/json' });

    expect([status, page.status, api.status]).toEqual([303, 200, 401]);
  });

  test('a refused credential is shown, logged and in the audit, but not repeated', async () => {
    const { visitor, form } = await atSignIn();
    const credential = 'the-wrong-key-0123456789';
    world.canaries.plant('the wrong key', credential);

    const answer = await visitor.post('/ui/sign-in', {
      ...form.hidden,
      kind: 'api-key',
      credential,
    });

    expect(answer.status).toBe(401);
    expect(answer.html).toContain('This service does not accept the API key.');
    expect(answer.html).not.toContain(credential);
    expect(world.audit).toMatchObject([
      {
        audit: 'refusal',
        route: '/ui/sign-in',
        error: 'This service does not accept the API key.',
      },
    ]);
    expect(world.log.at(-1)).toMatchObject({ problem: 'unauthenticated', reason: 'no such key' });
  });

  test('a credential that is revoked later leads to the sign-in with the way back', async () => {
    const { visitor, form } = await atSignIn();
    const credential = await issuer.token({ exp: Math.floor(now / 1_000) + 60 });
    await visitor.post('/ui/sign-in', { ...form.hidden, kind: 'jwt', credential });

    const before = await visitor.get('/ui/targets');
    now += 200_000;
    const after = await visitor.get('/ui/targets');
    const page = await visitor.get(after.headers.get('location') ?? '');

    expect([before.status, after.status]).toEqual([200, 303]);
    expect(page.html).toContain('Your session has ended');
    expect(page.hidden.next).toBe('/ui/targets');
  });

  test('a link on another site keeps the session: its page asks for itself again', async () => {
    const visitor = openVisitor(world);

    const linked = await visitor.get('/ui/jobs?state=failed', { 'sec-fetch-site': 'cross-site' });
    const again = await visitor.get('/ui/jobs?state=failed', { 'sec-fetch-site': 'same-origin' });

    expect([linked.status, again.status]).toEqual([401, 303]);
    expect(linked.headers.get('set-cookie')).toBeNull();
    expect(linked.html).toContain('content="0; url=/ui/jobs?state=failed"');
  });

  test('a button after the end of the session leads to the sign-in, and back to its page', async () => {
    const visitor = openVisitor(world);

    const { status, headers } = await visitor.post('/ui/jobs/some-job/cancel', {});

    expect([status, headers.get('location')]).toEqual([
      303,
      '/ui/sign-in?next=%2Fui%2Fjobs%2Fsome-job',
    ]);
  });

  test('the sign-out removes the cookie', async () => {
    const { visitor, form } = await atSignIn();
    await visitor.post('/ui/sign-in', { ...form.hidden, kind: 'api-key', credential: key });
    const { hidden } = await visitor.get('/ui/targets');

    const { status, headers } = await visitor.post('/ui/sign-out', hidden);

    expect([status, headers.get('location')]).toEqual([303, '/ui/sign-in']);
    expect(visitor.cookie).toBeUndefined();
    expect((await visitor.get('/ui/targets')).status).toBe(303);
  });

  test('rejects more than 30 sign-ins of an address in a minute', async () => {
    const { visitor, form } = await atSignIn();
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 31; attempt++) {
      const wrong = { ...form.hidden, kind: 'api-key', credential: `wrong-${attempt}` };
      statuses.push((await visitor.post('/ui/sign-in', wrong)).status);
    }
    const right = { ...form.hidden, kind: 'api-key', credential: key };
    const { status, headers } = await visitor.post('/ui/sign-in', right);

    expect(new Set(statuses.slice(0, 30))).toEqual(new Set([401]));
    expect([statuses[30], status, headers.get('retry-after')]).toEqual([429, 429, '60']);
  });

  test('other clients get the problem of the API instead of the sign-in', async () => {
    const { status, body } = await world.call('GET', '/ui/targets');

    expect([status, body.title]).toEqual([401, 'Authentication required']);
  });
});

describe('a form', () => {
  let world: World;
  const id = randomUUID();
  const token = formTokenOf({ id });
  const cookie = `log-export-session=${id}`;
  beforeAll(async () => {
    world = await openWorld({ jobs: {}, corsOrigins: ['https://app.example.com'] });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test.each([
    ['of a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['of a page of another subdomain', { 'sec-fetch-site': 'same-site' }],
    ['that no page has sent', { 'sec-fetch-site': 'none' }],
    [
      'of an origin that may call the API',
      { origin: 'https://app.example.com', 'sec-fetch-site': 'cross-site' },
    ],
    ['with the token of another session', { cookie: `log-export-session=${randomUUID()}` }],
    ['without a session', { cookie: 'other=1' }],
  ])('%s is rejected', async (_case, headers) => {
    const visitor = openVisitor(world, { cookie });
    const path = `/ui/jobs/${randomUUID()}/cancel`;

    const right = await visitor.post(path, { token });
    const wrong = await visitor.post(path, { token }, headers as unknown as Record<string, string>);
    const other = await visitor.post(path, { token: createHash('md5').digest('hex') });
    const none = await visitor.post(path, {});

    expect(right.status).toBe(404); // its job does not exist
    expect([wrong.status, other.status, none.status]).toEqual([403, 403, 403]);
    expect(wrong.html).toContain('Origin not allowed');
  });

  test('without Sec-Fetch-Site is accepted only with the own origin', async () => {
    const post = async (headers: Record<string, string>) =>
      (
        await fetch(`${world.url}/ui/jobs/${randomUUID()}/cancel`, {
          method: 'POST',
          body: new URLSearchParams({ token }),
          headers: { cookie, accept: 'text/html', 'sec-fetch-mode': 'navigate', ...headers },
        })
      ).status;

    expect(await post({ origin: world.url })).toBe(404);
    expect(await post({ origin: 'https://evil.example.com' })).toBe(403);
    expect(await post({})).toBe(403);
  });

  test('that is no form is rejected', async () => {
    const ownPage = { 'sec-fetch-site': 'same-origin' };
    const { status } = await world.call('POST', '/ui/sign-out', { token }, ownPage);

    expect(status).toBe(415);
  });
});
