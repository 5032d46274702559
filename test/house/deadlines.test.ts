import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

// A short deadline on a busy machine fails a test whose code is correct. So a deadline is long, unless the
// test is about the deadline.

const shortestMs = 10_000;
const aboutDeadlines = new Map([
  ['app.test.ts', 'the limit of a handler is reached'],
  ['auth/authentication/issuer-keys.test.ts', 'an issuer is silent'],
  ['edge/bodies.test.ts', 'the limit of a handler is reached'],
  ['edge/connections.test.ts', 'the limit of a handler is exceeded'],
  ['edge/slow-senders.test.ts', 'the limits of a request are reached'],
  ['edge/tls.test.ts', 'the limits of a request are reached'],
  ['export-jobs/api/watch-events.test.ts', 'the limit of a handler is reached'],
  ['forward-proxy/aws.test.ts', 'a proxy is silent'],
]);
const deadline =
  /AbortSignal\.timeout\(|\b(?:timeout|\w*TimeoutMillis|(?:connect|create|read|fetch|statement|lock|headers|request|handler)Ms)(?: =|:) ?([\d_]+)/g;

test('a deadline in a test is long, unless the test is about it', () => {
  const files = ['test', 'emulator/test'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => ({ folder, file })),
  );
  // The chaos suite uses real time, with seconds instead of minutes.
  const isExempt = (file: string) => /^(?:house|chaos)\//.test(file) || aboutDeadlines.has(file);

  const short = files
    .filter(({ file }) => file.endsWith('.ts') && !isExempt(file))
    .flatMap(({ folder, file }) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(deadline)]
        .filter(([, ms = '0']) => Number(ms.replaceAll('_', '')) < shortestMs)
        .map(([text]) => `${file}: ${text}`),
    );

  expect(short).toEqual([]);
});
