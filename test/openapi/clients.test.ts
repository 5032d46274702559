import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { expect, test } from 'vitest';

// If the document breaks one of these rules, code generators fail or produce useless types.

interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  pattern?: string;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  items?: Schema;
}

interface Content {
  content?: Record<string, { schema: Schema }>;
}

interface Operation {
  operationId: string;
  requestBody?: Content;
  responses: Record<string, Content>;
}

const document = JSON.parse(readFileSync('openapi/openapi.json', 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
const components = Object.entries(document.components.schemas);

/** Every schema in a value, with the name of its member. */
function schemasIn(value: unknown, name = ''): [name: string, schema: Schema][] {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.entries(value)
    .filter(([key]) => !['example', 'examples', 'enum', 'default'].includes(key))
    .flatMap(([key, member]) => schemasIn(member, key));
  return [[name, value as Schema], ...below];
}

const schemas = schemasIn({ paths: document.paths, schemas: document.components.schemas });

test('operations and components have identifiers as names', () => {
  const ids = operations.map(({ operationId }) => operationId);

  expect(ids.filter((id) => !/^[a-z][A-Za-z]*$/.test(id))).toEqual([]);
  expect(components.filter(([name]) => !/^[A-Z][A-Za-z]*$/.test(name))).toEqual([]);
});

test('makes every JSON body a named component', () => {
  const unnamed = operations.flatMap(({ operationId, requestBody, responses }) =>
    [requestBody, ...Object.values(responses)]
      .flatMap((body) => Object.entries(body?.content ?? {}))
      .filter(([mediaType, { schema }]) => /json$/.test(mediaType) && !schema.$ref)
      .map(([mediaType]) => `${operationId} ${mediaType}`),
  );

  expect(unnamed).toEqual([]);
});

test('every object with members and every enum is a named component', () => {
  const unnamed = components.flatMap(([component, { properties = {} }]) =>
    schemasIn(properties)
      .filter(([, schema]) => schema.type === 'object' || schema.type === 'string')
      .filter(([, schema]) => schema.properties || (schema.enum?.length ?? 0) > 1)
      .map(([member]) => `${component}.${member}`),
  );

  expect(unnamed).toEqual([]);
});

test('no object is a union, because generators lose its members', () => {
  const unions = components.filter(
    ([, schema]) =>
      schema.type === 'object' && ['oneOf', 'anyOf', 'allOf', 'not'].some((key) => key in schema),
  );

  expect(unions).toEqual([]);
});

const int64Members = [
  'from',
  'to',
  'creationTime',
  'completionTime',
  'logGroupBytes',
  'bytes',
  'size',
];

test('times and sizes are 64-bit integers', () => {
  const integers = schemas.filter(([, { type }]) => type === 'integer');
  const long = integers.filter(([, { format }]) => format === 'int64').map(([name]) => name);
  const short = integers.filter(([, { format }]) => format !== 'int64').map(([name]) => name);

  expect(new Set(long)).toEqual(new Set([...int64Members, '0'])); // 0: the choice within Instant
  expect(short.filter((name) => /^from$|^to$|Time$|At$|Bytes$/.test(name))).toEqual([]);
});

test('uses the pattern syntax that all languages share', () => {
  const patterns = schemas.flatMap(([, { pattern }]) =>
    typeof pattern === 'string' ? [pattern] : [],
  );

  expect(patterns.length).toBeGreaterThan(0);
  expect(patterns.filter((pattern) => /\\[pPukK]|\(\?/.test(pattern))).toEqual([]);
});

test.for(int64Members)('docs/clients.md reads and writes %s exactly', async (name) => {
  const page = readFileSync('docs/clients.md', 'utf8');
  const [, code = ''] = /```ts\n(const int64Members.*?)```/s.exec(page) ?? [];
  const source = encodeURIComponent(stripTypeScriptTypes(code));
  const { parseExact, stringifyExact } = await import(`data:text/javascript,${source}`);
  const text = `{"${name}":1152921504606846976,"priority":5}`;

  const parsed = parseExact(text);

  expect(parsed).toEqual({ [name]: 2n ** 60n, priority: 5 });
  expect(stringifyExact(parsed)).toBe(text);
});
