import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';

import { signMessage, toSecret } from '#webhook-endpoints/signing/sign-message.ts';

const message = { id: 'msg_1', at: Date.now(), body: '{"type":"webhook.test","text":"ä€😀"}' };

describe('a signed message', () => {
  test('has the headers of the published example', () => {
    const example = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', at: 1_614_265_330_999 };

    const headers = signMessage({ ...example, body: '{"test": 2432232314}' }, [
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    ]);

    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test('is verified with each of two secrets by the library of the standard', () => {
    const secrets = [toSecret(randomBytes(32)), toSecret(randomBytes(32))];

    const headers = signMessage(message, secrets);

    expect(headers['webhook-signature']).toMatch(/^v1,[\w+/]{43}= v1,[\w+/]{43}=$/);
    for (const secret of secrets)
      expect(new Webhook(secret).verify(message.body, headers)).toEqual(JSON.parse(message.body));
  });

  test.each([
    ['another secret', { secret: toSecret(randomBytes(32)) }],
    ['another body', { body: '{}' }],
    ['another id', { headers: { 'webhook-id': 'msg_2' } }],
    [
      'another time',
      { headers: { 'webhook-timestamp': String(Math.floor(Date.now() / 1_000) - 9) } },
    ],
  ])('is refused by the library with %s', (_what, changed) => {
    const own = toSecret(randomBytes(32));
    const {
      secret = own,
      body = message.body,
      headers = {},
    } = changed as {
      secret?: string;
      body?: string;
      headers?: Record<string, string>;
    };
    const signed = { ...signMessage(message, [own]), ...headers };

    expect(() => new Webhook(secret).verify(body, signed)).toThrow(/No matching signature/);
  });
});

test('a secret has 32 random bytes in the form of the standard', () => {
  expect(toSecret(Buffer.alloc(32, 0xff))).toBe(
    'whsec_//////////////////////////////////////////8=',
  );
});
