import type { IncomingHttpHeaders } from 'node:http';
import { Type } from '@sinclair/typebox';

import { digestOf, type KeyUse } from './store/requests/idempotency-key.ts';

/** The schema of the headers of a request that may have an Idempotency-Key. */
export const idempotencyKeyHeaders = (description: string) =>
  Type.Object({
    'Idempotency-Key': Type.Optional(
      Type.String({
        pattern: '^[\\x21-\\x7e]{1,255}$',
        'x-rule': '1 to 255 visible ASCII characters',
        description,
      }),
    ),
  });

/** Reads the key of a request; `undefined` without a key. `content` is what a repeated request must have, too. */
export function keyUseOf(headers: IncomingHttpHeaders, content: unknown): KeyUse | undefined {
  const key = headers['idempotency-key'];
  return typeof key === 'string' ? { key, digest: digestOf(content) } : undefined;
}
