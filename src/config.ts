import { Type } from '@sinclair/typebox';
import { Ajv, type ErrorObject } from 'ajv';

import { configError } from '#problems/config-error.ts';
import type { TargetSettings } from '#targets/target.ts';
import { Environment, region, roleArn } from './environment.ts';

/** What the gateway is told at its start. */
export interface Config {
  host: string;
  port: number;
  logLevel: Environment['LOG_LEVEL'];
  isLogPretty: boolean;
  targets: TargetSettings[];
  /** Where export jobs are kept; undefined when they are not offered. */
  jobs: JobsConfig | undefined;
}

/** Where export jobs are kept: PostgreSQL if there is a URL, otherwise the directory. */
export interface JobsConfig {
  dataDir: string;
  databaseUrl?: string;
}

const TargetsFile = Type.Array(
  Type.Object(
    {
      name: Type.String({
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
        'x-rule': '1 to 64 characters out of A-Z a-z 0-9 . _ -, the first a letter or digit',
      }),
      region: { ...region, 'x-rule': 'an AWS Region such as eu-west-1' },
      accountId: Type.Optional(
        Type.String({ pattern: '^[0-9]{12}$', 'x-rule': 'an account id of 12 digits' }),
      ),
      roleArn: Type.Optional({ ...roleArn, 'x-rule': 'the ARN of an IAM role' }),
      externalId: Type.Optional(
        Type.String({ minLength: 2, maxLength: 1_224, 'x-rule': 'text of 2 to 1224 characters' }),
      ),
    },
    {
      additionalProperties: false,
      'x-rule': 'an object with name and region, and if needed accountId, roleArn, externalId',
    },
  ),
  { minItems: 1, 'x-rule': 'an array of at least one target' },
);

/**
 * Reads the configuration of the gateway. `readFile` is asked for TARGETS_FILE only.
 * @throws an error named ConfigError, naming the variable, what it was and what it may be
 */
export function readConfig(env: NodeJS.ProcessEnv, readFile: (path: string) => string): Config {
  const read = readEnvironment(env);
  return {
    host: read.HOST,
    port: read.PORT,
    logLevel: read.LOG_LEVEL,
    isLogPretty: read.LOG_PRETTY,
    targets: read.TARGETS_FILE
      ? readTargetsFile(read, read.TARGETS_FILE, readFile)
      : [onlyTarget(read)],
    jobs: jobsConfig(read),
  };
}

/** Reads where export jobs are kept; undefined when they are not offered. @throws an error named ConfigError */
export function readJobsConfig(env: NodeJS.ProcessEnv): JobsConfig | undefined {
  return jobsConfig(readEnvironment(env));
}

/** What the emulator is told at its start. */
export interface EmulatorConfig {
  host: string;
  port: number;
}

/** Reads the configuration of the emulator. @throws an error named ConfigError */
export function readEmulatorConfig(env: NodeJS.ProcessEnv): EmulatorConfig {
  const { HOST, EMULATOR_PORT } = readEnvironment(env);
  return { host: HOST, port: EMULATOR_PORT };
}

function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  // An empty variable is how shells and compose files say "not set".
  const data = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const validate = makeAjv({ coerceTypes: true }).compile<Environment>(Environment);
  if (validate(data)) return data;
  throw configError(sentence(validate.errors, (path) => path.slice(1)));
}

function jobsConfig({ EXPORT_JOBS, DATA_DIR, DATABASE_URL }: Environment): JobsConfig | undefined {
  if (EXPORT_JOBS === 'off') return undefined;
  return { dataDir: DATA_DIR, ...(DATABASE_URL && { databaseUrl: DATABASE_URL }) };
}

function onlyTarget(env: Environment): TargetSettings {
  const { AWS_REGION, SERVICE_ROLE_ARN, SERVICE_ROLE_EXTERNAL_ID } = env;
  if (!AWS_REGION) {
    throw configError(
      'AWS_REGION is not set; it must be an AWS Region such as eu-west-1, or TARGETS_FILE must name a file with targets.',
    );
  }
  if (SERVICE_ROLE_EXTERNAL_ID && !SERVICE_ROLE_ARN) {
    throw configError(
      'SERVICE_ROLE_EXTERNAL_ID is set, but SERVICE_ROLE_ARN is not; an external id is only of use with a role to assume.',
    );
  }
  return {
    name: 'default',
    region: AWS_REGION,
    ...(SERVICE_ROLE_ARN && { roleArn: SERVICE_ROLE_ARN }),
    ...(SERVICE_ROLE_EXTERNAL_ID && { externalId: SERVICE_ROLE_EXTERNAL_ID }),
  };
}

function readTargetsFile(
  env: Environment,
  path: string,
  readFile: (path: string) => string,
): TargetSettings[] {
  const fail = (text: string) => configError(`TARGETS_FILE is ${JSON.stringify(path)}: ${text}`);
  if (env.SERVICE_ROLE_ARN) {
    throw fail(
      'SERVICE_ROLE_ARN must not be set beside it; give each target in the file its roleArn.',
    );
  }
  let targets: unknown;
  try {
    targets = JSON.parse(readFile(path));
  } catch (cause) {
    throw fail(`it must be the path of a readable JSON file (${(cause as Error).message}).`);
  }
  const validate = makeAjv({ coerceTypes: false }).compile<TargetSettings[]>(TargetsFile);
  if (!validate(targets)) throw fail(sentence(validate.errors, (at) => at || 'the file'));
  const names = targets.map((target) => target.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw fail(`the name ${JSON.stringify(twice)} is there twice; names must differ.`);
  return targets;
}

function makeAjv(options: { coerceTypes: boolean }): Ajv {
  const ajv = new Ajv({ ...options, useDefaults: true, verbose: true, validateSchema: false });
  ajv.addVocabulary(['x-rule', 'x-secret']);
  return ajv;
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
