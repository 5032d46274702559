import { createHmac } from 'node:crypto';

const secretPrefix = 'whsec_';

/** Makes a secret of Standard Webhooks 1.0.0 from 32 random bytes. */
export function toSecret(bytes: Buffer): string {
  return secretPrefix + bytes.toString('base64');
}

/**
 * Returns the headers that authenticate a message, by Standard Webhooks 1.0.0: one signature for each secret.
 * `at` is the time of the attempt, epoch ms. An `id` has no full stop, so that it cannot be taken for the time.
 */
export function signMessage(
  { id, at, body }: { id: string; at: number; body: string },
  secrets: readonly string[],
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1_000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(secretPrefix.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
