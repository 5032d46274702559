import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { Problem } from '#problems/problem.ts';
import { as, principalOf, type Rule } from '../../access.ts';
import { type Policies, policiesOf } from '../../export-jobs/jobs-of-callers.ts';
import { storageBackends } from '../../export-jobs/storage-backends.ts';
import { openWorld, type World } from '../../world.ts';
import { givenDelivery, givenEndpoint } from '../given-endpoint.ts';

/** The built-in policy, and everybody may create. */
const ownOnly: Rule = (_principal, { action, context }) =>
  action === 'CreateWebhookEndpoint' || context?.isOwn === true;

const body = { url: 'https://hooks.example.com/s3cr3t-path?token=s3cr3t-token' };
const secretForm = /^whsec_[\w+/]{43}=$/;

describe.each(storageBackends)('webhook endpoints on %s', (_name, openStorage) => {
  let world: World;
  let policies: Policies;
  beforeAll(async () => {
    policies = policiesOf(ownOnly);
    world = await openWorld({
      jobs: await openStorage(),
      access: policies.access,
      basePath: '/logs',
      webhookOrigins: ['http://receiver.internal:8080'],
    });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(async () => {
    policies.change(ownOnly);
    world.audit.length = 0;
    world.log.length = 0;
    world.woken.length = 0;
    await world.database.queries.deleteFrom('webhookEndpoints').execute();
  });

  const call = (method: string, path = '', sent?: unknown, headers = {}, name = 'ann') =>
    world.call(method, `/webhook-endpoints${path}`, sent, { ...as(name), ...headers });
  const create = async (given: object = {}, name = 'ann') => {
    const answer = await call('POST', '', { ...body, ...given }, {}, name);
    expect(answer.status).toBe(201);
    return answer.body as { id: string; secret: string };
  };
  const rows = () => world.database.queries.selectFrom('webhookEndpoints').selectAll().execute();

  describe('POST /webhook-endpoints', () => {
    test('returns the endpoint with its secret, and stores it before', async () => {
      const answer = await call('POST', '', {
        ...body,
        description: 'on-call',
        eventTypes: ['export_job.failed', 'archive.lost'],
      });

      expect(answer.status).toBe(201);
      const { id, secret } = answer.body;
      const self = `/logs/webhook-endpoints/${id}`;
      expect(answer.headers.get('location')).toBe(self);
      expect(answer.body).toEqual({
        id: expect.stringMatching(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/),
        url: body.url,
        description: 'on-call',
        eventTypes: ['export_job.failed', 'archive.lost'],
        isEnabled: true,
        createdAt: expect.stringMatching(/^20\d\d-.*Z$/),
        links: {
          self,
          rotateSecret: `${self}/rotate-secret`,
          test: `${self}/test`,
          deliveries: `${self}/deliveries`,
          replay: `${self}/replay`,
        },
        secret: expect.stringMatching(secretForm),
      });
      expect(await rows()).toMatchObject([{ id, secret, caller: 'test#ann', version: 1 }]);
    });

    test('gives each endpoint a secret of its own', async () => {
      const [one, other] = [await create(), await create()];

      expect(one.secret).not.toBe(other.secret);
    });

    test('returns the same endpoint for the same key, without its secret', async () => {
      const key = { 'idempotency-key': 'k-1' };
      const first = await call('POST', '', body, key);
      const again = await call('POST', '', body, key);
      const other = await call('POST', '', { ...body, description: 'x' }, key);
      const ofBob = await call('POST', '', body, key, 'bob');

      const { secret: _secret, ...endpoint } = first.body;
      expect(again.status).toBe(201);
      expect(again.body).toEqual(endpoint);
      expect(other).toMatchObject({
        status: 422,
        body: { type: '/logs/problems/idempotency-key-reused' },
      });
      expect(ofBob.body.id).not.toBe(first.body.id);
    });

    test('stores the URL as it is sent: with an ASCII host, and a path', async () => {
      expect(await create({ url: 'https://BÜCHER.example' })).toMatchObject({
        url: 'https://xn--bcher-kva.example/',
      });
    });

    test('accepts an origin that the operator allows, with plain HTTP and a port', async () => {
      const url = 'http://receiver.internal:8080/hook';

      expect(await create({ url })).toMatchObject({ url });
    });

    test.each([
      ['http://hooks.example.com/', /must begin with https:\/\/, unless the operator allows/],
      ['ftp://hooks.example.com/', /must be a URL that begins with https/],
      ['hooks.example.com', /must be a URL that begins with https/],
      ['https://me:pw@hooks.example.com/', /must not have a user name or a password/],
      ['https://hooks.example.com/#x', /must not have a fragment/],
      ['https://hooks.example.com:8443/', /must have port 443, unless the operator allows/],
      ['https://169.254.169.254/latest', /must have a public address, unless the operator allows/],
      ['https://[::ffff:127.0.0.1]/', /must have a public address/],
      ['https://localhost/', /must have a public address/],
      ['http://receiver.internal:8081/', /must begin with https/],
    ])('rejects a URL that is not allowed: %s', async (url, detail) => {
      const answer = await call('POST', '', { url });

      expect(answer.status).toBe(422);
      expect(answer.body).toMatchObject({
        type: '/logs/problems/webhook-url-not-allowed',
        detail: expect.stringMatching(detail),
      });
      expect(answer.text).not.toContain('pw@');
      expect(await rows()).toEqual([]);
    });

    test.each([
      [{}, '#/url'],
      [{ url: `https://hooks.example.com/${'a'.repeat(2_048)}` }, '#/url'],
      [{ ...body, eventTypes: [] }, '#/eventTypes'],
      [{ ...body, eventTypes: ['webhook.test'] }, '#/eventTypes/0'],
      [{ ...body, eventTypes: ['archive.lost', 'archive.lost'] }, '#/eventTypes/1'],
      [{ ...body, description: 'a\u0000b' }, '#/description'],
      [{ ...body, secret: 'whsec_x' }, '#/secret'],
    ])('rejects a body that breaks a rule: %#', async (sent, pointer) => {
      const answer = await call('POST', '', sent);

      expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
    });

    test('rejects an eleventh endpoint of a caller, also if all are sent at once', async () => {
      const answers = await Promise.all(Array.from({ length: 12 }, () => call('POST', '', body)));

      const refused = answers.filter(({ status }) => status === 422);
      expect(await rows()).toHaveLength(10);
      expect(refused).toHaveLength(2);
      expect(refused[0]?.body.type).toBe('/logs/problems/too-many-webhook-endpoints');
      expect((await call('POST', '', body, {}, 'bob')).status).toBe(201);
    });

    test('needs a permission for the origin', async () => {
      policies.change(
        (_principal, { resource }) =>
          resource.webhookEndpoint?.origin === 'https://hooks.example.com',
      );

      const refused = await call('POST', '', { url: 'https://other.example.com/s3cr3t-path' });

      expect((await call('POST', '', body)).status).toBe(201);
      expect(refused).toMatchObject({
        status: 403,
        body: { type: '/logs/problems/not-permitted' },
      });
      expect(refused.text).not.toContain('s3cr3t-path');
    });
  });

  describe('GET /webhook-endpoints', () => {
    test('lists the own endpoints, newest first, without secrets', async () => {
      const { queries } = world.database;
      const first = await create({ description: 'first' });
      const second = await create({ description: 'second' });
      await create({}, 'bob');
      await queries
        .updateTable('webhookEndpoints')
        .set({ createdAt: 1 })
        .where('id', '=', first.id)
        .execute();

      const answer = await call('GET');

      expect(answer.body.webhookEndpoints.map(({ id }: { id: string }) => id)).toEqual([
        second.id,
        first.id,
      ]);
      expect(answer.text).not.toMatch(/whsec_|"secret"/);
    });

    test('omits endpoints that a policy forbids', async () => {
      await create();
      policies.change(() => false);

      expect((await call('GET')).body).toEqual({ webhookEndpoints: [] });
    });
  });

  test('shows when and why an endpoint was disabled, and since when it fails', async () => {
    const id = await givenEndpoint(world.database, {
      caller: 'test#ann',
      disabledAt: Date.UTC(2024, 4, 9),
      disabledReason: 'failing',
      failingSince: Date.UTC(2024, 4, 4),
    });

    const { body: shown } = await call('GET', `/${id}`);

    expect(shown).toMatchObject({
      isEnabled: false,
      disabled: { at: '2024-05-09T00:00:00.000Z', reason: 'failing' },
      failingSince: '2024-05-04T00:00:00.000Z',
    });
  });

  describe('PATCH /webhook-endpoints/{endpointId}', () => {
    test('refuses a full stop at the end of the host, which policies would not recognise', async () => {
      const { id } = await create();

      const created = await call('POST', '', { url: 'https://hooks.evil.example./x' });
      const changed = await call('PATCH', `/${id}`, { url: 'https://hooks.evil.example\u3002/x' });

      const detail = '`url` must not have a full stop at the end of its host.';
      const refusal = { type: expect.stringMatching(/webhook-url-not-allowed$/), detail };
      expect([created.body, changed.body]).toMatchObject([refusal, refusal]);
      expect(await rows()).toMatchObject([{ url: body.url }]);
    });

    test('names the operation that changes the secret, without a path that PUBLIC_BASE_PATH changes', async () => {
      const { id } = await create();

      const { status, body } = await call('PATCH', `/${id}`, { secret: 'x' });

      expect(status).toBe(400);
      expect(body.errors).toEqual([
        {
          in: 'body',
          pointer: '#/secret',
          detail: 'cannot be changed; use the operation rotateWebhookSecret',
        },
      ]);
    });

    test('stores its caller, for whom the policies decide about messages', async () => {
      const { id } = await create();
      await world.database.queries
        .updateTable('webhookEndpoints')
        .set({ principal: '{"groups":["a-former-team"]}' })
        .execute();

      await call('PATCH', `/${id}`, { description: 'ours' });

      const [row] = await rows();
      expect(JSON.parse(row?.principal ?? '')).toEqual(principalOf('ann'));
    });

    test('changes members, and null sets the default', async () => {
      const { id } = await create({ description: 'old', eventTypes: ['archive.lost'] });

      const url = 'https://hooks.example.com/new';
      const changed = await call('PATCH', `/${id}`, { url, description: null, eventTypes: null });

      expect(changed.status).toBe(200);
      expect(changed.body).not.toHaveProperty('description');
      expect(changed.body).not.toHaveProperty('eventTypes');
      expect(changed.body.url).toBe(url);
      expect((await call('GET', `/${id}`)).body).toEqual(changed.body);
      expect((await rows())[0]?.version).toBe(2);
    });

    test('disables an endpoint once, and enables it again', async () => {
      const { id } = await create();

      const disabled = await call('PATCH', `/${id}`, { isEnabled: false });
      const again = await call('PATCH', `/${id}`, { isEnabled: false });
      const enabled = await call('PATCH', `/${id}`, { isEnabled: true });

      expect(disabled.body).toMatchObject({ isEnabled: false, disabled: { reason: 'caller' } });
      expect(again.body.disabled).toEqual(disabled.body.disabled);
      expect(enabled.body).toMatchObject({ isEnabled: true });
      expect(enabled.body).not.toHaveProperty('disabled');
    });

    test('forgets the failures of an endpoint that is enabled again', async () => {
      const failing = { disabledAt: 1, disabledReason: 'failing', failingSince: 1 };
      const id = await givenEndpoint(world.database, { caller: 'test#ann', ...failing });

      await call('PATCH', `/${id}`, { isEnabled: true });

      expect(await rows()).toMatchObject([
        { disabledAt: null, disabledReason: null, failingSince: null },
      ]);
      expect(world.woken).toEqual(['webhooks']);
    });

    test('needs the permission to create for another URL, and only for that', async () => {
      const { id } = await create();
      policies.change((_principal, { action }) => action === 'ChangeWebhookEndpoint');

      const elsewhere = await call('PATCH', `/${id}`, { url: 'https://other.example.com/' });
      const notAllowed = await call('PATCH', `/${id}`, { url: 'https://10.0.0.1/' });
      const described = await call('PATCH', `/${id}`, { ...body, description: 'x' });

      expect(elsewhere.status).toBe(403);
      expect(notAllowed.status).toBe(422);
      expect(described.status).toBe(200);
    });
  });

  describe('POST /webhook-endpoints/{endpointId}/rotate-secret', () => {
    test('returns a new secret, and keeps the previous one for 24 hours', async () => {
      const { id, secret } = await create();

      const rotated = await call('POST', `/${id}/rotate-secret`);

      expect(rotated.status).toBe(200);
      expect(rotated.body.secret).toMatch(secretForm);
      const [row] = await rows();
      expect(row).toMatchObject({ secret: rotated.body.secret, previousSecret: secret });
      const until = Date.parse(rotated.body.previousSecretUntil);
      expect(row?.previousSecretUntil).toBe(until);
      expect(Math.abs(until - Date.now() - 86_400_000)).toBeLessThan(3_600_000);
      expect((await call('GET', `/${id}`)).text).not.toMatch(/whsec_/);
    });

    test('keeps no third secret', async () => {
      const { id } = await create();
      const second = await call('POST', `/${id}/rotate-secret`);
      const third = await call('POST', `/${id}/rotate-secret`);

      expect(await rows()).toMatchObject([
        { secret: third.body.secret, previousSecret: second.body.secret },
      ]);
    });

    test('does not show the end of a previous secret that has passed', async () => {
      const previous = { previousSecret: 'whsec_AAAA', previousSecretUntil: 1 };
      const id = await givenEndpoint(world.database, { caller: 'test#ann', ...previous });

      expect((await call('GET', `/${id}`)).body).not.toHaveProperty('previousSecretUntil');
    });
  });

  test('returns database-unavailable, retryable only for a create with a key', async () => {
    const { id } = await create();
    const away = new Problem('database-unavailable', 'The database does not answer.');
    const { transaction, queries } = world.database;
    const get = (target: object, name: string | symbol) => {
      if (name === 'updateTable') throw away;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    };
    Object.assign(world.database, {
      transaction: () => Promise.reject(away),
      queries: new Proxy(queries, { get }),
    });

    const key = { 'idempotency-key': 'away' };
    const answers = [
      await call('POST', '', body, key),
      await call('POST', '', body),
      await call('POST', `/${id}/rotate-secret`, undefined, key),
      await call('PATCH', `/${id}`, { description: 'x' }),
    ];

    Object.assign(world.database, { transaction, queries });
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503]);
    const isRetryable = answers.map((answer) => answer.body.isRetryable);
    expect(isRetryable).toEqual([true, false, false, true]);
  });

  test('DELETE deletes an endpoint with its deliveries, and returns it as it was', async () => {
    const { id } = await create();
    await givenDelivery(world.database, { destination: id });

    const deleted = await call('DELETE', `/${id}`);

    expect(deleted).toMatchObject({ status: 200, body: { id } });
    expect(await rows()).toEqual([]);
    expect(await world.database.queries.selectFrom('deliveries').selectAll().execute()).toEqual([]);
    expect((await call('DELETE', `/${id}`)).status).toBe(404);
  });

  test.each([
    ['GET', '', undefined],
    ['PATCH', '', { description: 'x' }],
    ['DELETE', '', undefined],
    ['POST', '/rotate-secret', undefined],
    ['POST', '/test', undefined],
    ['GET', '/deliveries', undefined],
    ['POST', '/deliveries/msg_1/replay', undefined],
    ['POST', '/replay', { since: '2024-05-01T00:00:00Z' }],
  ])(
    '%s …%s answers the same for an endpoint of another caller and for none',
    async (method, path, sent) => {
      const { id } = await create();
      policies.change(() => true); // no policy opens the endpoints of others
      const before = await rows();

      const foreign = await call(method, `/${id}${path}`, sent, {}, 'bob');
      const missing = await call(method, `/no-such-id${path}`, sent, {}, 'bob');

      expect(foreign.status).toBe(404);
      expect(foreign.body.type).toBe('/logs/problems/webhook-endpoint-not-found');
      expect({ ...foreign.body, instance: '' }).toEqual({ ...missing.body, instance: '' });
      expect(await rows()).toEqual(before);
    },
  );

  test('a policy can forbid the own endpoints: they look as if they did not exist', async () => {
    const { id } = await create();
    policies.change((_principal, { action }) => action === 'ReadWebhookEndpoint');

    expect((await call('GET', `/${id}`)).status).toBe(200);
    expect((await call('DELETE', `/${id}`)).body.type).toBe(
      '/logs/problems/webhook-endpoint-not-found',
    );
  });

  test('secrets, and URLs beyond their origin, are in no log, no audit and no other answer', async () => {
    const { id, secret } = await create();
    const rotated = await call('POST', `/${id}/rotate-secret`);
    const answers = [
      await call('GET'),
      await call('GET', `/${id}`),
      await call('PATCH', `/${id}`, { description: 'x' }),
      await call('POST', `/${id}/test`),
      await call('GET', `/${id}/deliveries`),
      await call('POST', '', { ...body, url: 'http://x.example.com/s3cr3t-path' }),
      await call('DELETE', `/${id}`),
    ];

    const secrets = [secret, rotated.body.secret].map((text) => text.slice('whsec_'.length));
    for (const { text } of answers) for (const each of secrets) expect(text).not.toContain(each);
    const lines = JSON.stringify([world.log, world.audit]);
    for (const each of [...secrets, 'whsec_', 's3cr3t-path', 's3cr3t-token'])
      expect(lines).not.toContain(each);
  });
});
