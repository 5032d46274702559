import fc from 'fast-check';

/** A request in the form `inject` takes. */
export interface FuzzRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';
  url: string;
  headers: Record<string, string>;
  payload: string | Buffer;
}

const valid = {
  taskName: '"fuzz"',
  logGroupName: '"/app"',
  logStreamNamePrefix: '"web"',
  from: '1714521600000',
  to: '1714607999999',
  destination: '"archive"',
  destinationPrefix: '"exports"',
};

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 600 }),
  fc.constantFrom(
    '',
    '\0',
    '\u2028',
    'e\u0301',
    '💥',
    '%00',
    '../..',
    '__proto__',
    'a'.repeat(513),
  ),
);

/** A number token; most are not a plain integer from 0 to 2^60. */
export const numberToken = fc.oneof(
  fc.bigInt(-(2n ** 80n), 2n ** 80n).map(String),
  fc.bigInt(2n ** 60n - 3n, 2n ** 60n + 3n).map(String),
  fc.double().map(String),
  fc.tuple(fc.integer(), fc.integer({ min: -400, max: 400 })).map(([n, e]) => `${n}e${e}`),
  fc.constantFrom('-0', '0.0', '00', '1.', '.5', '+1', '1e400', '0x10', '1_000', '9'.repeat(4_000)),
);

const deep = fc
  .tuple(fc.integer({ min: 1, max: 7_000 }), fc.constantFrom(['[', ']'], ['{"a":', '}']))
  .map(([depth, [open, close]]) => {
    const levels = Math.min(depth, Math.floor(16_000 / `${open}${close}`.length));
    return `${open?.repeat(levels)}1${close?.repeat(levels)}`;
  });

const anyToken = fc.oneof(
  anyText.map((text) => JSON.stringify(text)),
  fc.constantFrom('"\\ud800"', '"\\u0000"', '"\\x"', 'null', 'true', '[]', '{}', ''),
  numberToken,
  fc.json({ maxDepth: 4 }),
  deep,
);

const anyName = fc.oneof(
  fc.constantFrom(...Object.keys(valid), '__proto__', 'constructor', 'toString', ''),
  anyText,
);

const change = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), name: anyName, token: anyToken }),
  fc.record({ kind: fc.constant('drop' as const), name: fc.constantFrom(...Object.keys(valid)) }),
);

/** A body that is nearly valid: members are changed, removed, added or duplicated. */
const nearlyValid = fc.array(change, { maxLength: 3 }).map((changes) => {
  let members: [string, string][] = Object.entries(valid);
  for (const each of changes) {
    if (each.kind === 'drop') members = members.filter(([name]) => name !== each.name);
    else members.push([each.name, each.token]); // beside the valid one: a duplicate member
  }
  return `{${members.map(([name, token]) => `${JSON.stringify(name)}:${token}`).join()}}`;
});

const replaced = fc.tuple(fc.constantFrom(...Object.keys(valid)), anyToken).map(([name, token]) => {
  const members = Object.entries({ ...valid, [name]: token });
  return `{${members.map(([key, value]) => `"${key}":${value}`).join()}}`;
});

const mutated = fc
  .tuple(nearlyValid, fc.nat(), fc.nat({ max: 20 }), fc.string({ unit: 'binary', maxLength: 5 }))
  .map(([text, at, length, insertion]) => {
    const start = at % (text.length + 1);
    return text.slice(0, start) + insertion + text.slice(start + length);
  });

const payload = fc.oneof(
  { weight: 4, arbitrary: nearlyValid },
  { weight: 4, arbitrary: replaced },
  { weight: 3, arbitrary: mutated },
  { weight: 1, arbitrary: anyToken },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
);

const encoded = anyText.map((text) => encodeURIComponent(text.toWellFormed()));
const queryPair = fc
  .tuple(
    fc.oneof(fc.constantFrom('target', 'statusCode', 'limit', 'nextToken', '__proto__'), encoded),
    fc.oneof(
      fc.constantFrom('default', 'RUNNING', '1', '50', '51', '1e1', '%20', '%zz', '%ff'),
      encoded,
    ),
  )
  .map(([name, value]) => `${name}=${value}`);
const query = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.array(queryPair, { maxLength: 4 }).map((pairs) => `?${pairs.join('&')}`),
  },
);

const path = fc.oneof(
  fc.constantFrom('/export-tasks', '/targets', '/problems', '/health/live', '/docs/static/x'),
  encoded.map((id) => `/export-tasks/${id}`),
  encoded.map((id) => `/export-tasks/${id}/cancel`),
  encoded.map((slug) => `/problems/${slug}`),
  fc.webPath().map((rest) => `/docs${rest}`),
);

const headers = fc.record(
  {
    'content-type': fc.oneof(
      { weight: 6, arbitrary: fc.constant('application/json') },
      { weight: 1, arbitrary: fc.constantFrom('text/plain', 'application/json; a=b', '', '*/*') },
    ),
    accept: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('*/*', 'application/json') },
      { weight: 1, arbitrary: fc.constantFrom('text/html', 'text/csv', ';;q=x') },
    ),
    'x-request-id': fc.string({ maxLength: 300 }),
  },
  { requiredKeys: ['content-type'] },
);

const taskMembers = { ...valid, taskId: '"x"', limit: '5', statusCode: '"PENDING"' };
const anyTask = fc
  .dictionary(fc.constantFrom(...Object.keys(taskMembers)), anyToken, { maxKeys: 2 })
  .map((changes) => {
    const members = Object.entries({ ...taskMembers, ...changes });
    return `{${members.map(([name, token]) => `"${name}":${token}`).join()}}`;
  });

/** The Authorization header of a signature that is not verified. */
export const anySignature = `AWS4-HMAC-SHA256 Credential=any/20240501/eu-west-1/logs/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'CreateExportTask',
      'DescribeExportTasks',
      'CancelExportTask',
      'DescribeLogGroups',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii' }) },
);

/** Requests of AWS clients. */
const ofAwsClient: fc.Arbitrary<FuzzRequest> = fc.record({
  method: fc.constant('POST' as const),
  url: fc
    .tuple(fc.constantFrom('/', '/', '/aws/default', '/aws/x', '/aws/'), query)
    .map((parts) => parts.join('')),
  headers: fc.record({
    'content-type': fc.constantFrom(
      'application/x-amz-json-1.1',
      'application/x-amz-json-1.1; charset=utf-8',
      'application/x-amz-json-1.1',
      'application/json',
    ),
    'x-amz-target': operation.map((name) => `Logs_20140328.${name}`),
    authorization: fc.oneof(
      { weight: 8, arbitrary: fc.constant(anySignature) },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii' }) },
    ),
  }),
  payload: fc.oneof({ weight: 2, arbitrary: anyTask }, { weight: 1, arbitrary: payload }),
});

/** Requests to every route; most are creates. */
export const anyRequest: fc.Arbitrary<FuzzRequest> = fc.oneof(
  { weight: 1, arbitrary: ofAwsClient },
  {
    weight: 3,
    arbitrary: fc.record({
      method: fc.constant('POST' as const),
      url: query.map((search) => `/export-tasks${search}`),
      headers,
      payload,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      method: fc.constantFrom(
        'GET',
        'GET',
        'GET',
        'POST',
        'PUT',
        'PATCH',
        'DELETE',
        'HEAD',
        'OPTIONS',
      ),
      url: fc.tuple(path, query).map((parts) => parts.join('')),
      headers,
      payload: fc.constant(''),
    }),
  },
);

const line = fc.oneof(
  fc.constantFrom(
    'GET /health/live HTTP/1.1',
    'POST /export-tasks HTTP/1.1',
    'POST / HTTP/1.1',
    'POST /aws/x HTTP/1.1',
    'X-Amz-Target: Logs_20140328.CreateExportTask',
    'Content-Type: application/x-amz-json-1.1',
    `Authorization: ${anySignature}`,
    'GET /export-tasks/%zz HTTP/1.1',
    'HEAD /targets HTTP/1.0',
    'Host: gateway',
    'Content-Type: application/json',
    'Content-Length: 2',
    'Content-Length: 99999999999999999999',
    'Transfer-Encoding: chunked',
    'Connection: close',
    'Expect: 100-continue',
    'Upgrade: h2c',
    '',
    '{}',
    '2',
    '0',
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 30 }),
);

/** Bytes on a connection, as latin1 text: HTTP lines in any order, or random bytes. */
export const anyBytes: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.array(line, { minLength: 1, maxLength: 12 }), fc.constantFrom('\r\n', '\r\n', '\n'))
      .map(([lines, end]) => `${lines.join(end)}${end}${end}`),
  },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ minLength: 1, maxLength: 300 })
      .map((bytes) => Buffer.from(bytes).toString('latin1')),
  },
);
