import fastJsonStringify from 'fast-json-stringify';

/** Writes an answer as JSON. */
type Serialize = (answer: unknown) => string;

/**
 * Makes the serializer of a schema: it writes only the members that the schema has. The schema is compiled
 * when the first answer needs it.
 */
export function makeSerializer({ schema }: { schema: unknown }): Serialize {
  return (answer) => compileAnswer(schema as object)(answer);
}

// Apps of one process, and many operations, have the same schemas: each is compiled once.
const compiled = new WeakMap<object, Serialize>();

/**
 * Compiles a schema, once.
 * @throws Error if the schema is not valid
 */
export function compileAnswer(schema: object): Serialize {
  let serialize = compiled.get(schema);
  if (!serialize) {
    serialize = fastJsonStringify(schema);
    compiled.set(schema, serialize);
  }
  return serialize;
}
