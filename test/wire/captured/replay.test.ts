import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Guard, openGuard, requestWith } from '../../auth/guard.ts';
import { temporaryDir } from '../../database/homes.ts';
import { type CapturedRequest, capturedKey, captures, signedAt } from './captures.ts';

// The bytes that real clients sent, with the clock of the gateway turned back to the moment of their signature.

let guard: Guard;
let now = 0;
beforeAll(async () => {
  const apiKeysFile = join(temporaryDir(afterAll), 'api-keys.json');
  const { name, wireSecret } = capturedKey;
  writeFileSync(apiKeysFile, JSON.stringify([{ name, sha256: hash('sha256', name), wire: 1 }]));
  guard = await openGuard(
    {
      methods: ['api-key'],
      apiKeysFile,
      signatures: { secrets: [wireSecret], basePath: '' },
    },
    { now: () => now },
  );
});
afterAll(() => guard[Symbol.asyncDispose]());

/** Authenticates a captured request; returns its caller. */
async function authenticate(captured: CapturedRequest): Promise<string | undefined> {
  now = signedAt(captured);
  const [line = '', ...headers] = captured.head;
  const raw = headers.flatMap((header) => header.split(/: (.*)/, 2));
  const request = requestWith(raw, line.split(' ')[1]);
  const signed = await guard.signatures?.read(request);
  return signed && guard.signatures?.verify(request, signed, Buffer.from(captured.body)).id;
}

describe.each(captures)('the requests of $client', ({ requests }) => {
  test('have valid signatures', async () => {
    const callers = new Set<string | undefined>();
    for (const request of requests) callers.add(await authenticate(request));

    expect(callers).toEqual(new Set(['api-key#billing']));
  });
});
