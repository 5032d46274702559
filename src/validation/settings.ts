import type { Static, TSchema } from '@sinclair/typebox';
import { Ajv, type ErrorObject } from 'ajv';

import { configError } from '#problems/config-error.ts';
import { type ObjectRules, readTexts } from './text.ts';

/** How settings are checked and how their errors are made. */
interface CheckOptions {
  /** Whether all values are text, as in the environment. */
  areTexts: boolean;
  toError: (text: string) => Error;
  /** The name of the member at a JSON pointer. */
  nameOf: (path: string) => string;
}

/** Checks settings by their schema and adds its defaults. @throws what `toError` makes of the first mistake */
export function checkSettings<Schema extends TSchema>(
  schema: Schema,
  data: unknown,
  { areTexts, toError, nameOf }: CheckOptions,
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
  throw toError(describeError(validate.errors, nameOf));
}

/** A variable that names a file. */
export interface FileVariable {
  name: string;
  path: string;
}

/** Makes the error for a mistake in a settings file. */
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

/** Reads a JSON settings file. @throws an error named ConfigError */
export function readSettingsFile<Schema extends TSchema>(
  variable: FileVariable,
  schema: Schema,
  readFile: (path: string) => string,
): Static<Schema> {
  let data: unknown;
  try {
    const text = readFile(variable.path);
    if (text.startsWith('\uFEFF')) throw new Error('it begins with a byte order mark');
    data = JSON.parse(text);
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

// Names the first mistake only: people fix variables one by one.
function describeError(errors: unknown, nameOf: (path: string) => string): string {
  const [{ keyword, instancePath, params, parentSchema, data }] = errors as [ErrorObject];
  const { 'x-rule': rule, 'x-secret': isSecret } = parentSchema as {
    'x-rule'?: string;
    'x-secret'?: true;
  };
  if (keyword === 'required' || keyword === 'additionalProperties') {
    const member = params.missingProperty ?? params.additionalProperty;
    const what = keyword === 'required' ? 'is missing in' : 'is unknown in';
    return `${JSON.stringify(member)} ${what} ${nameOf(instancePath)}; it must be ${rule}.`;
  }
  const found = isSecret ? 'set' : JSON.stringify(data);
  return `${nameOf(instancePath)} is ${found}, but must be ${rule}.`;
}
