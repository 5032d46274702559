import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
}

interface Content {
  schema: Schema;
  example?: unknown;
  examples?: Record<string, { $ref?: string; value?: unknown }>;
}

const json = readFileSync('openapi/openapi.json', 'utf8');
const { paths, components } = JSON.parse(json) as {
  paths: Record<
    string,
    Record<
      string,
      {
        requestBody?: { content: Record<string, Content> };
        responses: Record<string, { content?: Record<string, Content> }>;
      }
    >
  >;
  components: { schemas: Record<string, Schema>; examples: Record<string, { value: unknown }> };
};
const contents = Object.values(paths)
  .flatMap((path) => Object.values(path))
  .flatMap(({ requestBody, responses }) => [requestBody, ...Object.values(responses)])
  .flatMap((part) => Object.values(part?.content ?? {}));

/** The names of members that a schema does not declare. A schema without properties permits all. */
function undeclaredIn(value: unknown, { $ref, ...schema }: Schema): string[] {
  const found = $ref === undefined ? schema : components.schemas[nameIn($ref)];
  const { properties = {}, items = {} } = found ?? {};
  if (Array.isArray(value)) return value.flatMap((item) => undeclaredIn(item, items));
  const isFree = Object.keys(properties).length === 0;
  if (typeof value !== 'object' || value === null || isFree) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const declared = properties[name];
    return declared === undefined ? [name] : undeclaredIn(member, declared);
  });
}

const nameIn = (ref: string) => ref.split('/').at(-1) ?? '';

test('examples have only declared members', () => {
  const undeclared = contents.flatMap(({ schema, example, examples = {} }) => {
    const values = Object.values(examples).map(({ $ref, value }) =>
      $ref === undefined ? value : components.examples[nameIn($ref)]?.value,
    );
    return [example, ...values].flatMap((value) => undeclaredIn(value, schema));
  });

  expect([...new Set(undeclared)]).toEqual([]);
});

test('each task id in the examples has one name and one log group', () => {
  const namesOf = new Map<string, Set<string>>();
  JSON.parse(json, (_key, value) => {
    const { taskId, taskName, logGroupName } = Object(value);
    if (typeof taskId === 'string' && typeof taskName === 'string') {
      const names = namesOf.get(taskId) ?? new Set();
      namesOf.set(taskId, names.add(`${taskName} ${logGroupName}`));
    }
    return value;
  });

  expect(namesOf.size).toBe(2);
  expect([...namesOf.values()].filter(({ size }) => size > 1)).toEqual([]);
});
