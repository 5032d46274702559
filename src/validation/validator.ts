import { Ajv, type SchemaValidateFunction, type ValidateFunction } from 'ajv';

import { mayBeInstant } from './instant.ts';
import { readInt64 } from './int64.ts';
import { type ObjectRules, readTexts } from './text.ts';
import { problemOfErrors } from './violations.ts';

/** The validated parts of a request, with the names of Fastify. */
type HttpPart = 'body' | 'querystring' | 'params' | 'headers';

const placeOf = { body: 'body', querystring: 'query', params: 'path', headers: 'header' } as const;

/** A validator for Fastify: it returns the converted value or an error. */
type Validate = (data: unknown) => { value: unknown } | { error: Error };

/**
 * Makes the validator of a schema. It reports all violations at once. Bodies are not converted; a query is
 * always text, so there "10" becomes the number 10. The schema is compiled when the first request needs it.
 */
export function makeValidator({
  schema,
  httpPart,
}: {
  schema: unknown;
  httpPart?: string;
}): Validate {
  const part = httpPart as HttpPart;
  const rules = schema as ObjectRules;
  return (data) => {
    const validate = compileRules(rules, part);
    const nulls = part === 'body' ? dropNulls(rules, data) : {};
    if (part === 'querystring') readTexts(rules, data as object);
    if (validate(data)) return { value: data && Object.assign(data, nulls) };
    return { error: problemOfErrors(validate.errors ?? [], placeOf[part]) };
  };
}

// Apps of one process have the same schemas: each is compiled once. Names of headers have no case.
const compiled = new WeakMap<object, ValidateFunction>();
const compiledForHeaders = new WeakMap<object, ValidateFunction>();

/**
 * Compiles a schema, once.
 * @throws Error if the schema is not valid
 */
export function compileRules(rules: ObjectRules, part: string | undefined): ValidateFunction {
  const isForHeaders = part === 'headers';
  const known = isForHeaders ? compiledForHeaders : compiled;
  let validate = known.get(rules);
  if (!validate) {
    validate = ajv.compile(isForHeaders ? withLowerCaseNames(rules) : rules);
    known.set(rules, validate);
  }
  return validate;
}

/**
 * Removes members that are null: generated clients send null for unset members, and AWS treats it as
 * absent. Unknown members stay, so that validation refuses them. Returns those that can be null, to be
 * added again after validation: null means something there.
 */
function dropNulls({ properties = {} }: ObjectRules, data: unknown): Record<string, null> {
  const nulls: Record<string, null> = {};
  if (typeof data !== 'object' || data === null) return nulls;
  const members = data as Record<string, unknown>;
  for (const [name, rules] of Object.entries(properties)) {
    if (members[name] === null) {
      delete members[name];
      if (rules['x-nullable']) nulls[name] = null;
    } else if (Object.hasOwn(members, name)) dropNulls(rules, members[name]);
  }
  return nulls;
}

// Schemas have header names in mixed case; requests have them in lower case.
function withLowerCaseNames(schema: ObjectRules): object {
  const properties = Object.entries(schema.properties ?? {}).map(([name, rule]) => [
    name.toLowerCase(),
    rule,
  ]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

const ajv = makeAjv();

function makeAjv(): Ajv {
  const ajv = new Ajv({
    allErrors: true, // bounded by the limits of json-structure.ts
    verbose: true,
    strict: true,
    validateSchema: false, // a test validates the schemas; it would take a tenth of the start
    removeAdditional: false,
    useDefaults: false,
    formats: { int64: true },
  });
  ajv.addVocabulary(['x-rule', 'x-suggest', 'x-nullable', 'x-fixed']);
  ajv.addKeyword({
    keyword: 'x-int64',
    schemaType: 'boolean',
    modifying: true,
    validate: ((_schema, value, _parent, context) => {
      const exact = readInt64(value);
      if (exact === undefined) return false;
      if (context) context.parentData[context.parentDataProperty] = exact;
      return true;
    }) satisfies SchemaValidateFunction,
  });
  ajv.addKeyword({
    keyword: 'x-instant',
    schemaType: 'boolean',
    validate: (_schema: boolean, value: unknown) => mayBeInstant(value),
  });
  ajv.addKeyword({
    keyword: 'x-exactlyOneOf',
    type: 'object',
    schemaType: 'array',
    validate: (names: string[], data: object) =>
      names.filter((name) => Object.hasOwn(data, name)).length === 1,
  });
  ajv.addKeyword({
    keyword: 'x-maxUtf8Bytes',
    type: 'string',
    schemaType: 'number',
    validate: (limit: number, text: string) => Buffer.byteLength(text) <= limit,
  });
  return ajv;
}
