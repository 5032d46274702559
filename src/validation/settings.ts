import type { Static, TSchema } from '@sinclair/typebox';
import { Ajv, type ErrorObject } from 'ajv';

import { configError } from '#problems/config-error.ts';
import { type ObjectRules, readTexts } from './text.ts';

/** How settings are checked, and what is said of them when they are wrong. */
interface Checking {
  /** Whether all of them come as text, as in the environment. */
  areTexts: boolean;
  toError: (sentence: string) => Error;
  /** What to call the member at a JSON pointer. */
  nameOf: (path: string) => string;
}

/** Checks settings by their schema and fills in its defaults. @throws what `toError` makes of the first fault */
export function checkSettings<Schema extends TSchema>(
  schema: Schema,
  data: unknown,
  { areTexts, toError, nameOf }: Checking,
): Static<Schema> {
  if (areTexts) readTexts(schema as ObjectRules, data as object);
  const ajv = new Ajv({
    useDefaults: true,
    verbose: true,
    validateSchema: false,
  });
  ajv.addVocabulary(['x-rule', 'x-secret']);
  const validate = ajv.compile<Static<Schema>>(schema);
  if (validate(data)) return data;
  throw toError(sentence(validate.errors, nameOf));
}

/** A variable that names a file. */
export interface FileVariable {
  name: string;
  path: string;
}

/** A mistake in a file of settings. */
export function fileError({ name, path }: FileVariable, text: string): Error {
  return configError(`${name} is ${JSON.stringify(path)}: ${text}`);
}

/** Reads a file that a variable names. @throws an error named ConfigError */
export async function readNamedFile(
  variable: FileVariable,
  readFile: (path: string) => Promise<string>,
): Promise<string> {
  return readFile(variable.path).catch(({ message }: Error) => {
    throw fileError(variable, `it must be the path of a readable file (${message}).`);
  });
}

/** Reads a JSON file of settings. @throws an error named ConfigError */
export function readSettingsFile<Schema extends TSchema>(
  variable: FileVariable,
  schema: Schema,
  readFile: (path: string) => string,
): Static<Schema> {
  let data: unknown;
  try {
    data = JSON.parse(readFile(variable.path));
  } catch (cause) {
    const { message } = cause as Error;
    throw fileError(variable, `it must be the path of a readable JSON file (${message}).`);
  }
  return checkSettings(schema, data, {
    areTexts: false,
    toError: (text) => fileError(variable, text),
    nameOf: (path) => path || 'the file',
  });
}

// Told of the first error only: whoever sets variables mends them one by one.
function sentence(errors: unknown, nameOf: (path: string) => string): string {
  const [{ keyword, instancePath, params, parentSchema, data }] = errors as [ErrorObject];
  const { 'x-rule': rule, 'x-secret': isSecret } = parentSchema as {
    'x-rule'?: string;
    'x-secret'?: true;
  };
  if (keyword === 'required' || keyword === 'additionalProperties') {
    const member = params.missingProperty ?? params.additionalProperty;
    const what = keyword === 'required' ? 'is missing in' : 'is not known in';
    return `${JSON.stringify(member)} ${what} ${nameOf(instancePath)}; it must be ${rule}.`;
  }
  const found = isSecret ? 'set' : JSON.stringify(data);
  return `${nameOf(instancePath)} is ${found}, but must be ${rule}.`;
}
