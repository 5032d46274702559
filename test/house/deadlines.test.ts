import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

// A short deadline on a busy machine fails a test whose code is correct. So a deadline is long, unless the
// test is about the deadline.

const shortestMs = 10_000;
const aboutDeadlines = new Map([
  ['app.test.ts', 'the limit of a handler is reached'],
  ['auth/authentication/issuer-keys.test.ts', 'an issuer is silent'],
  ['aws/not-sent.test.ts', 'a server is silent'],
  ['aws/storage/silence.test.ts', 'the time is not real'],
  ['config.test.ts', 'no setting is used'],
  ['edge/bodies.test.ts', 'the limit of a handler is reached'],
  ['edge/connections.test.ts', 'the limit of a handler is exceeded'],
  ['edge/public-bodies.test.ts', 'the limit of a body is reached'],
  ['edge/slow-senders.test.ts', 'the limits of a request are reached'],
  ['edge/tls.test.ts', 'the limits of a request are reached'],
  ['export-jobs/api/watch-events.test.ts', 'the limit of a handler is reached'],
  ['export-jobs/dispatcher/destination-preflight.test.ts', 'S3 is silent'],
  ['export-jobs/dispatcher/poison.test.ts', 'the time is not real'],
  ['forward-proxy/aws.test.ts', 'a proxy is silent'],
  ['forward-proxy/issuer-keys.test.ts', 'a proxy is silent'],
  ['fuzz/fuzz.ts', 'a silence ends a read, and no test'],
  ['postgres.ts', 'a deadlock is found'],
  ['telemetry/traces/span-sender.test.ts', 'a receiver is silent'],
  ['wire/open-wire.ts', 'the deadlines of the chaos suite are replaced'],
  ['wire/raw-requests.test.ts', 'the limit of a body is reached'],
]);

const limits =
  'connect|create|read|fetch|statement|lock|headers|request|handler|tunnel|silent|silence|keepAlive|body|preflight|answer|stall|deadline|finish|flush';
/** The kinds of deadlines, each with the number of milliseconds or seconds. */
const kinds = {
  'a limit of ours': { pattern: new RegExp(`\\w*(?:${limits})Ms(?: =|:) ?([\\d_]+)`, 'gi') },
  // Of child processes, browsers, servers, clients of HTTP and of PostgreSQL. Some units are not milliseconds.
  'a timeout': { pattern: /\w*timeout(?:Ms|Millis)?["']?(?: =|:) ?["']?([\d_]+)/gi },
  'a timeout of a socket or a page': { pattern: /\.set\w*Timeout\(([\d_]+)/g },
  'a setting in seconds': { pattern: /\w+_SECONDS(?: =|:) ?'(\d+)'/g, unitMs: 1_000 },
  'a limit of curl': { pattern: /--(?:max-time|connect-timeout)[ =](\d+)/g, unitMs: 1_000 },
  'a limit in a shell': { pattern: /\btimeout (\d+)s? [a-z"$]/g, unitMs: 1_000 },
  'a signal in real time': { pattern: /AbortSignal\.timeout\(/g },
  'a wait of a second by default': { pattern: /\bvi\.wait(?:For|Until)\(/g },
  'a limit of the chaos suite': { pattern: /\bchaos(?:Limits|Timeouts)\b/g },
};

/** The short deadlines in a text. */
function shortIn(text: string): string[] {
  return Object.values<{ pattern: RegExp; unitMs?: number }>(kinds).flatMap(
    ({ pattern, unitMs = 1 }) =>
      [...text.matchAll(pattern)]
        .filter(([, number = '0']) => Number(number.replaceAll('_', '')) * unitMs < shortestMs)
        .map(([found]) => found),
  );
}

const sources = ['test', 'emulator/test'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    // The chaos suite uses real time, with seconds instead of minutes.
    .filter((file) => /\.(?:ts|sh|py)$/.test(file) && !/^(?:house|chaos)\//.test(file))
    .map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') })),
);

describe('a deadline in a test', () => {
  test('is long, unless the test is about it', () => {
    const short = sources
      .filter(({ file }) => !aboutDeadlines.has(file))
      .flatMap(({ file, text }) => shortIn(text).map((found) => `${file}: ${found}`));

    expect(short).toEqual([]);
  });

  test('is short in each file that is about one', () => {
    const withShort = sources.filter(({ text }) => shortIn(text).length > 0);

    const files = new Set(withShort.map(({ file }) => file));
    expect([...aboutDeadlines.keys()].filter((file) => !files.has(file))).toEqual([]);
  });

  test('is set for each page of a browser, whose default is 30 seconds', () => {
    const opening = sources.filter(({ text }) => /\.newPage\(/.test(text));

    expect(opening.length).toBeGreaterThan(0);
    for (const { text } of opening) expect(text).toContain('.setDefaultTimeout(');
  });

  test.each([
    'connectMs: 300',
    'const silenceMs = 3_000',
    'limits: { earlyBodyMs: 20 }',
    'execFile(command, { timeout: 5_000 })',
    'connectionTimeoutMillis: 2_000',
    'server.headersTimeout = 500',
    "statement_timeout: '200'",
    "OTEL_EXPORTER_OTLP_TIMEOUT = '500'",
    "KEEP_ALIVE_SECONDS: '1'",
    'page.setDefaultTimeout(5_000)',
    'socket.setTimeout(20, close)',
    'curl --max-time 5 "$url"',
    'timeout 5 curl',
    'AbortSignal.timeout(ms)',
    'await vi.waitFor(isDone)',
    'timings: chaosLimits',
  ])('is seen: %s', (text) => {
    expect(shortIn(text)).not.toEqual([]);
  });
});
