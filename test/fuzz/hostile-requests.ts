import { randomUUID } from 'node:crypto';

import { formBodies, formHeaders } from './hostile-forms.ts';
import { changes, forms, reads } from './hostile-routes.ts';

/** A request that is meant to keep the gateway busy. */
export interface HostileRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer;
}

// The large size is just below the body limit, including the fixed part of a shape.
const sizes = { small: 1_024, ordinary: 64_000, large: 1_040_000 };

/** Bodies that cause more work than their size suggests, each near a given size. */
const shapes: Record<string, (bytes: number) => string | Buffer> = {
  'slashes × templates': (bytes) =>
    job({
      logGroupNames: upTo(1_000, bytes / 515, (n) => `${'/'.repeat(500)}${n}`),
      destinationPrefix: '{logGroup}'.repeat(102),
    }),
  'long names': (bytes) => job({ logGroupNames: upTo(1_000, bytes / 515, (n) => longName(n)) }),
  'many exceptions': (bytes) =>
    archive({ exceptLogGroupNamePrefixes: upTo(1e6, bytes / 10, (n) => `/${n}`) }),
  'an archive of long names': (bytes) =>
    archive({ logGroupNames: upTo(1_000, bytes / 515, (n) => longName(n)) }),
  'many short names': (bytes) => job({ logGroupNames: upTo(1e6, bytes / 10, (n) => `/${n}`) }),
  'the same name': (bytes) => job({ logGroupNames: upTo(1e6, bytes / 6, () => '/a') }),
  'every hour of a century': () =>
    job({ logGroupNames: ['/app'], sliceBy: 'hour', from: '1970-01-01T00:00:00Z' }),
  braces: (bytes) => job({ logGroupNames: ['/app'], destinationPrefix: '{'.repeat(bytes) }),
  'unknown members': (bytes) => `{${upTo(1e6, bytes / 11, (n) => `"m${n}":1`).join()}}`,
  'few unknown members': (bytes) => `{${upTo(4_000, bytes / 11, (n) => `"m${n}":1`).join()}}`,
  'the same member': (bytes) => `{${fill('"from":1,', bytes)}"from":1}`,
  'a long name': (bytes) => `{"${'k'.repeat(bytes)}":1}`,
  fractions: (bytes) => `{"logGroupNames":[${fill('1.5,', bytes)}1.5]}`,
  'some fractions': (bytes) => `{"logGroupNames":[${fill('1.5,', Math.min(bytes, 16_000))}1.5]}`,
  'long numbers': (bytes) => `{"from":[${fill('12345678901234567,', bytes)}1]}`,
  'one long number': (bytes) => `{"from":${'9'.repeat(bytes)}}`,
  'a long fraction': (bytes) => `{"to":0.${'9'.repeat(bytes)}}`,
  'a long exponent': (bytes) => `{"to":1e${'9'.repeat(bytes)}}`,
  arrays: (bytes) => '['.repeat(bytes),
  'arrays that end': (bytes) => '['.repeat(bytes / 2) + ']'.repeat(bytes / 2),
  objects: (bytes) => `${fill('{"a":', bytes)}1${'}'.repeat(bytes / 5)}`,
  'empty objects': (bytes) => `[${fill('{},', bytes)}{}]`,
  'a long text': (bytes) => job({ name: 'x'.repeat(bytes) }),
  'a long text of surrogate pairs': (bytes) => job({ name: '💥'.repeat(bytes / 4) }),
  'a long text of lone surrogates': (bytes) => `{"name":"${fill('\\ud800', bytes)}"}`,
  'a long text of escapes': (bytes) => `{"destination":"${fill('\\u0000', bytes)}"}`,
  'a long instant': (bytes) => job({ from: `2024-05-01T00:00:00.${'1'.repeat(bytes)}Z` }),
  'spaces for an instant': (bytes) => job({ from: ' '.repeat(bytes) }),
  'prototype keys': (bytes) => `[${fill('"__proto__" ,', bytes)}1]`,
  'a long URL': (bytes) => `{"url":"https://127.0.0.1/${'%'.repeat(bytes)}"}`,
  'many claims': (bytes) =>
    check(Object.fromEntries(upTo(4_000, bytes / 20, (n) => [`c${n}`, ['\0']]))),
  'a task of AWS': () => task({}),
  'a task of AWS with a long number': (bytes) => `{"from":${'9'.repeat(bytes)},"to":1e${bytes}}`,
  'a task of AWS with a long name': (bytes) => task({ logGroupName: 'x'.repeat(bytes) }),
  'claims with lone surrogates': () => check({ '\ud800': ['x'], '\n': 5 as never }),
  'white space': (bytes) => `${' '.repeat(bytes)}{}`,
  'an unterminated text': (bytes) => `{"name":"${'\\"'.repeat(bytes / 2)}`,
  'UTF-16': (bytes) => Buffer.from(job({ name: 'x'.repeat(bytes / 4) }), 'utf16le'),
  'invalid UTF-8': (bytes) => Buffer.alloc(bytes, 0xff),
  'a byte order mark': (bytes) => `\ufeff${job({ name: 'x'.repeat(bytes) })}`,
  nothing: () => '',
};

const bodies = Object.values(shapes).map((shape) => ({
  small: asBytes(shape(sizes.small)),
  ordinary: asBytes(shape(sizes.ordinary)),
  large: asBytes(shape(sizes.large)),
}));

const ids = ['x', '%00', '%2e%2e', randomUUID()];
const sent = [
  ...changes,
  'POST /export-jobs',
  'POST /export-jobs?dryRun=true',
  'POST /export-jobs?dryRun=true',
  'POST /archives?dryRun=true',
  'POST /export-tasks',
  'POST /targets',
  'POST /nope',
  'POST /docs',
  'POST /problems',
];
/** The paths of AWS clients. */
const wirePaths = ['/', '/', '/aws/default', '/aws/default/', '/aws/x', '/aws/%2f', '/?a'];
const operations = [
  'CreateExportTask',
  'CreateExportTask',
  'DescribeExportTasks',
  'CancelExportTask',
  'DescribeLogGroups',
  'PutLogEvents',
  'x'.repeat(2_000),
];
const types = ['application/json', 'application/json; charset=utf-8', 'text/plain', 'a/b;'];
const codings = [
  {},
  {},
  {},
  {},
  { 'content-encoding': 'gzip' },
  { 'transfer-encoding': 'chunked' },
];

const long = (length: number) => 'x'.repeat(length);
const readPaths = [
  ...reads.map((route) => fillIn(route, () => 'x')),
  ...reads.map((route) => `${fillIn(route, () => 'x')}?limit=1e9&cursor=%00`),
  ...[4_000, 4_097, 6_000].flatMap((length) => [
    ...reads
      .filter((route) => /[:*]/.test(route))
      .map((route) => fillIn(route, () => long(length))),
    `/export-tasks?nextToken=${long(length)}`,
    `/${'%2f'.repeat(length / 3)}`,
    `/targets${'/'.repeat(length)}`,
  ]),
  `/export-tasks?${'a&'.repeat(2_000)}`,
  `/export-jobs?${'state=waiting&'.repeat(250)}`,
  `/archives/x/coverage?cursor=${long(1_024)}`,
  `/coverage?logGroupName=${long(512)}&from=0&to=${long(20)}`,
  '/coverage?logGroupName=/app&from=1970-01-01T00:00:00Z&to=2024-05-01T00:00:00Z',
  '/export-tasks/%zz',
  '/docs/static/..%2f..%2fpackage.json',
];
const accepts = [
  '*/*',
  Array(1_300).fill('a/b').join(),
  `text/html;${'q=1;'.repeat(900)}`,
  '"'.repeat(5_000),
];

/** Makes a generator of requests from a random source. */
export function makeHostileRequests(random: () => number): () => HostileRequest {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  return () => {
    if (random() < 0.2) {
      const headers = { accept: pick(accepts) };
      return { method: 'GET', path: pick(readPaths), headers, body: Buffer.alloc(0) };
    }
    if (random() < 0.25) {
      const contentType = random() < 0.9 ? 'application/x-amz-json-1.1' : pick(types);
      return {
        method: 'POST',
        path: pick(wirePaths),
        headers: {
          'content-type': contentType,
          'x-amz-target': `Logs_20140328.${pick(operations)}`,
          ...pick(codings),
        },
        body: pick(bodies)[pick(['small', 'small', 'ordinary', 'large'] as const)],
      };
    }
    if (random() < 0.15) return makeForm();
    const [method = '', route = ''] = pick(sent).split(' ');
    const size = pick(['small', 'small', 'ordinary', 'ordinary', 'ordinary', 'large'] as const);
    const contentType = random() < 0.9 ? 'application/json' : pick(types);
    return {
      method: random() < 0.95 ? method : pick(['PUT', 'PATCH', 'DELETE', 'QUERY']),
      path: fillIn(route, () => pick(ids)),
      headers: { 'content-type': contentType, ...pick(codings) },
      body: pick(bodies)[size],
    };
  };

  /** A form of a page of the gateway, mostly with its session. */
  function makeForm(): HostileRequest {
    const [method = '', route = ''] = pick(forms).split(' ');
    const formType = 'application/x-www-form-urlencoded';
    return {
      method,
      path: fillIn(route, () => pick(ids)),
      headers: {
        'content-type': random() < 0.9 ? formType : pick(types),
        ...(random() < 0.9 && formHeaders),
        accept: pick(['text/html', '*/*']),
        ...pick(codings),
      },
      body: pick(formBodies),
    };
  }
}

/** Replaces the parameters of a route. */
function fillIn(route: string, make: () => string): string {
  return route.replaceAll(/:\w+|\*/g, make);
}

function job(members: object): string {
  const rest = { from: '2024-05-01T00:00:00Z', to: '2024-05-02T00:00:00Z', destination: 'archive' };
  return JSON.stringify({ ...rest, ...members });
}

function task(members: object): string {
  const rest = { logGroupName: '/app', from: 1, to: 1_714_607_999_999, destination: 'archive' };
  return JSON.stringify({ ...rest, ...members });
}

function archive(members: object): string {
  const rest = { name: 'x', destination: 'archive' };
  const isNamed = 'logGroupNames' in members;
  return JSON.stringify({ ...rest, ...(!isNamed && { logGroupNamePrefix: '/app' }), ...members });
}

function check(claims: Record<string, string[]>): string {
  return JSON.stringify({ action: 'ReadTarget', principal: { issuer: 'a', subject: 'b', claims } });
}

function upTo<Item>(max: number, count: number, make: (n: number) => Item): Item[] {
  return Array.from({ length: Math.min(max, Math.floor(count)) }, (_, n) => make(n));
}

function longName(n: number): string {
  return `/${n}`.padEnd(512, 'x');
}

function fill(piece: string, bytes: number): string {
  return piece.repeat(Math.floor(bytes / piece.length));
}

function asBytes(body: string | Buffer): Buffer {
  return typeof body === 'string' ? Buffer.from(body) : body;
}
