import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import { type Notifications, openNotifications } from '#notifications/open-notifications.ts';
import { notificationTimings } from '#notifications/timings.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { sleepUntilAborted } from '#time/sleep.ts';
import { makeWebhookSender } from '#webhook-endpoints/signing/send-webhook.ts';
import { authorizerBy } from '../access.ts';
import { openWorld, type World } from '../world.ts';

interface Message {
  headers: Record<string, string>;
  body: string;
}

const messages: Message[] = [];
const lines: string[] = [];
let status = 204;
let arrived = Promise.withResolvers<void>();
let world: World;
let isPermitted = true;
const questions: unknown[] = [];
const authorizer = authorizerBy(({ id }, { action, resource }) => {
  questions.push({ id, action, origin: resource.webhookEndpoint?.origin });
  return isPermitted;
});
let notifications: Notifications;
let url: string;
const receiver = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    messages.push({ headers: request.headers as Record<string, string>, body });
    response.writeHead(status).end();
    arrived.resolve();
  });
});

beforeAll(async () => {
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  url = `${origin}/hook`;
  world = await openWorld({ jobs: {}, webhookOrigins: [origin] });
  const elapsed = () => performance.now();
  notifications = openNotifications({
    database: world.database,
    targets: { ...world.targets, listSinks: () => [] },
    sendWebhook: makeWebhookSender({ authorizer, origins: [origin], elapsed }),
    basePath: '',
    owner: 'test',
    timings: notificationTimings,
    log: makeLogger('debug', { write: (line: string) => void lines.push(line) }),
    now: Date.now,
    elapsed,
    random: () => 0.5,
    sleep: sleepUntilAborted,
  });
});
afterAll(async () => {
  await notifications.close();
  await world[Symbol.asyncDispose]();
  receiver.close();
});
beforeEach(async () => {
  status = 204;
  messages.length = 0;
  questions.length = 0;
  await world.database.queries.deleteFrom('webhookEndpoints').execute();
});

const create = async () => (await world.call('POST', '/webhook-endpoints', { url })).body;

const { webhooks } = JSON.parse(readFileSync('openapi/openapi.json', 'utf8'));
const { schema } = webhooks.event.post.requestBody.content['application/json'];

/** The members of an event that the OpenAPI document does not declare, or requires in vain. */
function undeclaredIn({ data, ...event }: { data: object }): string[] {
  const found = new Set(['data', ...Object.keys(event), ...Object.keys(data)]);
  const declared = { ...schema.properties, ...schema.properties.data.properties };
  const required = new Set<string>([...schema.required, ...schema.properties.data.required]);
  return [...found.difference(new Set(Object.keys(declared))), ...required.difference(found)];
}

/** Does something that sends an event. Returns the message, and its delivery when its result is recorded. */
async function receive(endpointId: string, act: () => Promise<unknown>) {
  arrived = Promise.withResolvers();
  await act();
  notifications.wake();
  await arrived.promise;
  const message = messages.at(-1) as Message;
  expect(undeclaredIn(JSON.parse(message.body))).toEqual([]);
  const read = () =>
    world.database.queries
      .selectFrom('deliveries')
      .select(['owner', 'status'])
      .where('eventId', '=', message.headers['webhook-id'] ?? '')
      .executeTakeFirst();
  for (let row = await read(); row?.owner !== null || row.status === null; row = await read())
    await new Promise(setImmediate);
  const { body } = await world.call('GET', `/webhook-endpoints/${endpointId}/deliveries?limit=1`);
  return { message, delivery: body.deliveries[0] };
}

const sendTest = (id: string) =>
  receive(id, () => world.call('POST', `/webhook-endpoints/${id}/test`));

test('a test event arrives with a signature that the secret of the answer verifies', async () => {
  const { id, secret } = await create();

  const { message, delivery } = await sendTest(id);

  expect(new Webhook(secret).verify(message.body, message.headers)).toEqual({
    type: 'webhook.test',
    timestamp: expect.stringMatching(/Z$/),
    data: { endpointId: id, url: `/webhook-endpoints/${id}`, version: 1 },
  });
  expect(delivery).toMatchObject({
    eventId: message.headers['webhook-id'],
    type: 'webhook.test',
    state: 'delivered',
    status: 204,
    tries: 1,
  });
});

test('after a rotation, the old and the new secret verify a message', async () => {
  const { id, secret } = await create();
  const rotated = await world.call('POST', `/webhook-endpoints/${id}/rotate-secret`);

  const { message } = await sendTest(id);

  for (const each of [secret, rotated.body.secret])
    expect(new Webhook(each).verify(message.body, message.headers)).toBeDefined();
  expect(message.headers['webhook-signature']?.split(' ')).toHaveLength(2);
});

test('a replay sends the same id and body again, with a valid signature', async () => {
  const { id, secret } = await create();
  status = 500;
  const first = await sendTest(id);
  status = 200;

  const { eventId } = first.delivery;
  const again = await receive(id, () =>
    world.call('POST', `/webhook-endpoints/${id}/deliveries/${eventId}/replay`),
  );

  expect(first.delivery).toMatchObject({ state: 'pending', status: 500, error: 'status 500' });
  expect(again.delivery).toMatchObject({ eventId, state: 'delivered', status: 200 });
  expect(again.message.body).toBe(first.message.body);
  expect(new Webhook(secret).verify(again.message.body, again.message.headers)).toBeDefined();
});

test('410 disables an endpoint, and PATCH enables it again', async () => {
  const { id } = await create();
  status = 410;
  const { delivery } = await sendTest(id);

  const gone = await world.call('GET', `/webhook-endpoints/${id}`);
  status = 204;
  await world.call('PATCH', `/webhook-endpoints/${id}`, { isEnabled: true });
  const enabled = await sendTest(id);

  expect(delivery).toMatchObject({ state: 'failed', status: 410 });
  expect(gone.body).toMatchObject({ isEnabled: false, disabled: { reason: 'gone' } });
  expect(enabled.delivery).toMatchObject({ state: 'delivered' });
});

test('policies are asked before each try, and what they refuse is tried again', async () => {
  const { id } = await create();
  isPermitted = false;
  const posted = await world.call('POST', `/webhook-endpoints/${id}/test`);
  notifications.wake();
  const read = () => world.call('GET', `/webhook-endpoints/${id}/deliveries`);
  let refused = await read();
  for (; refused.body.deliveries[0]?.error === undefined; refused = await read())
    await new Promise(setImmediate);
  isPermitted = true;
  const { eventId } = posted.body;
  const again = await receive(id, () =>
    world.call('POST', `/webhook-endpoints/${id}/deliveries/${eventId}/replay`),
  );

  expect(refused.body.deliveries).toEqual([
    expect.objectContaining({ eventId, state: 'pending', tries: 1, error: 'not-permitted' }),
  ]);
  expect(messages).toHaveLength(1);
  expect(again.delivery).toMatchObject({ eventId, state: 'delivered' });
  const question = {
    id: 'anonymous',
    action: 'CreateWebhookEndpoint',
    origin: new URL(url).origin,
  };
  expect(questions).toEqual([question, question]);
});

test('the end of a job arrives, with its version and where to read it', async () => {
  const { id, secret } = await create();
  const job = await world.call('POST', '/export-jobs', {
    logGroupNames: ['/app'],
    from: 1_714_521_600_000,
    to: 1_714_608_000_000,
    destination: 'archive',
  });

  const { message } = await receive(id, () =>
    world.call('POST', `/export-jobs/${job.body.id}/cancel`),
  );

  const { type, data } = new Webhook(secret).verify(message.body, message.headers) as {
    type: string;
    data: { url: string };
  };
  const read = await world.call('GET', data.url);
  expect(type).toBe('export_job.cancelled');
  expect(data).toMatchObject({ jobId: job.body.id, target: 'default', state: 'cancelled' });
  expect(read.body).toMatchObject({ id: job.body.id, state: 'cancelled' });
});

test('no secret and no path of a URL is in a log', async () => {
  const { id, secret } = await create();
  status = 500;
  await sendTest(id);

  const text = JSON.stringify([lines, world.log, world.audit]);
  expect(text).not.toContain(secret.slice('whsec_'.length));
  expect(text).not.toContain('/hook');
});
