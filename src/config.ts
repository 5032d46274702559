import { type Static, Type } from '@sinclair/typebox';
import { Ajv, type ErrorObject } from 'ajv';

import type { TargetSettings } from '#targets/target.ts';

const roleArn = Type.String({
  pattern: String.raw`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`,
});
const region = Type.String({ pattern: '^[a-z]{2}(?:-[a-z]+)+-[0-9]$' });
const port = (fallback: number) => Type.Integer({ minimum: 0, maximum: 65_535, default: fallback });

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Every variable this project reads: type, default, and in words what it may be. */
export const Environment = Type.Object({
  HOST: Type.String({
    minLength: 1,
    default: '127.0.0.1',
    description: 'Address to listen on. The container sets 0.0.0.0.',
    'x-rule': 'an IP address or host name',
  }),
  PORT: {
    ...port(8080),
    description: 'Port to listen on.',
    'x-rule': 'a port number from 0 to 65535 (0 takes any free one)',
  },
  LOG_LEVEL: Type.Unsafe<(typeof logLevels)[number]>({
    type: 'string',
    enum: logLevels,
    default: 'info',
    description: 'Lowest level of log lines to write.',
    'x-rule': `one of ${logLevels.join(', ')}`,
  }),
  LOG_PRETTY: Type.Boolean({
    default: false,
    description: 'Log lines for people instead of JSON.',
    'x-rule': 'true or false',
  }),
  AWS_REGION: Type.Optional({
    ...region,
    description: 'Region of the one target. Needed unless TARGETS_FILE is set.',
    'x-rule': 'an AWS Region such as eu-west-1',
  }),
  SERVICE_ROLE_ARN: Type.Optional({
    ...roleArn,
    description:
      'Role to assume for the one target. Without it, the default credential chain of the AWS SDK.',
    'x-rule': 'the ARN of an IAM role such as arn:aws:iam::123456789012:role/log-export',
  }),
  SERVICE_ROLE_EXTERNAL_ID: Type.Optional(
    Type.String({
      minLength: 2,
      maxLength: 1_224,
      pattern: String.raw`^[\w+=,.@:/-]*$`,
      description: 'External id to assume the role with.',
      'x-rule': '2 to 1224 characters out of A-Z a-z 0-9 _ + = , . @ : / -',
    }),
  ),
  TARGETS_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'JSON file with several targets, instead of AWS_REGION and SERVICE_ROLE_ARN.',
      'x-rule': 'the path of a readable JSON file',
    }),
  ),
  AWS_ENDPOINT_URL: Type.Optional(
    Type.String({
      pattern: '^https?://\\S+$',
      description:
        'Where to find AWS instead of at AWS, such as the emulator. A warning is logged.',
      'x-rule': 'a URL such as http://127.0.0.1:4566',
    }),
  ),
  EMULATOR_PORT: {
    ...port(4566),
    description: 'Port the emulator listens on (npm run emulator, npm run demo).',
    'x-rule': 'a port number from 0 to 65535 (0 takes any free one)',
  },
});
type Environment = Static<typeof Environment>;

/** What the gateway is told at its start. */
export interface Config {
  host: string;
  port: number;
  logLevel: Environment['LOG_LEVEL'];
  isLogPretty: boolean;
  targets: TargetSettings[];
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
  };
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
  ajv.addVocabulary(['x-rule']);
  return ajv;
}

// Told of the first error only: whoever sets variables mends them one by one.
function sentence(errors: unknown, nameOf: (path: string) => string): string {
  const [{ keyword, instancePath, params, parentSchema, data }] = errors as [ErrorObject];
  const rule = (parentSchema as { 'x-rule'?: string })['x-rule'];
  if (keyword === 'required' || keyword === 'additionalProperties') {
    const member = params.missingProperty ?? params.additionalProperty;
    const what = keyword === 'required' ? 'is missing in' : 'is not known in';
    return `${JSON.stringify(member)} ${what} ${nameOf(instancePath)}; it must be ${rule}.`;
  }
  return `${nameOf(instancePath)} is ${JSON.stringify(data)}, but must be ${rule}.`;
}

/** A mistake of whoever started the process, told in one sentence and without a stack. */
export function configError(text: string): Error {
  return Object.assign(new Error(text), { name: 'ConfigError' });
}
