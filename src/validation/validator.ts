import { Ajv, type SchemaValidateFunction } from 'ajv';

import { mayBeInstant } from './instant.ts';
import { readInt64 } from './int64.ts';
import { type ObjectRules, readTexts } from './text.ts';
import { invalidRequest, toViolations } from './violations.ts';

/** The parts of a request that have rules, as Fastify names them. */
type HttpPart = 'body' | 'querystring' | 'params' | 'headers';

const placeOf = { body: 'body', querystring: 'query', params: 'path', headers: 'header' } as const;

/** A validator as Fastify wants it: the value back (converted), or the error. */
type Validate = (data: unknown) => { value: unknown } | { error: Error };

/**
 * Makes the compiler of validators. All rules that are broken are reported at once. A body is
 * taken as it is; a query is text by nature, so there "10" is the number 10.
 */
export function makeValidatorCompiler(): (route: {
  schema: unknown;
  httpPart?: string;
}) => Validate {
  const ajv = makeAjv();
  return ({ schema, httpPart }) => {
    const part = httpPart as HttpPart;
    const rules = part === 'headers' ? withLowerCaseNames(schema as ObjectRules) : schema;
    const validate = ajv.compile(rules as object);
    return (data) => {
      if (part === 'body') dropNulls(rules as ObjectRules, data);
      if (part === 'querystring') readTexts(rules as ObjectRules, data as object);
      if (validate(data)) return { value: data };
      return { error: invalidRequest(toViolations(validate.errors ?? [], placeOf[part])) };
    };
  };
}

/**
 * Leaves out members that are null: clients that are generated send them for what is not set, and AWS
 * takes them so. A name that is not known stays, to be refused.
 */
function dropNulls({ properties = {} }: ObjectRules, data: unknown): void {
  if (typeof data !== 'object' || data === null) return;
  const members = data as Record<string, unknown>;
  for (const [name, rules] of Object.entries(properties)) {
    if (members[name] === null) delete members[name];
    else if (Object.hasOwn(members, name)) dropNulls(rules, members[name]);
  }
}

// Documents write header names as people do; requests have them in lower case.
function withLowerCaseNames(schema: ObjectRules): object {
  const properties = Object.entries(schema.properties ?? {}).map(([name, rule]) => [
    name.toLowerCase(),
    rule,
  ]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

function makeAjv(): Ajv {
  const ajv = new Ajv({
    allErrors: true, // bounded by the limits of json-structure.ts
    verbose: true,
    strict: true,
    validateSchema: false, // the schemas are our own, and held to OpenAPI; it is a tenth of the start
    removeAdditional: false,
    useDefaults: false,
    formats: { int64: true },
  });
  ajv.addVocabulary(['x-rule', 'x-meant']);
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
