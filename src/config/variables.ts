import { type Static, Type } from '@sinclair/typebox';

import {
  type VerificationMode,
  verificationModes,
} from '#export-jobs/planning/verification-mode.ts';
import { otelVariables } from './traces/otel-variables.ts';
import {
  address,
  days,
  filePath,
  limit,
  onOrOff,
  origins,
  port,
  proxy,
  region,
  roleArn,
  url,
} from './variables/rules.ts';
import { webhookVariables } from './variables/webhook-variables.ts';
import { wireVariables } from './wire/wire-variables.ts';

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Every variable of the gateway: its type, its default and a description of valid values. */
export type Environment = Static<typeof Environment>;
export const Environment = Type.Object({
  HOST: address('Address to listen on. The container sets 0.0.0.0.'),
  PORT: { ...port('Port to listen on.'), default: 8080 },
  PUBLIC_BASE_PATH: Type.Optional(
    Type.String({
      pattern: '^(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$',
      maxLength: 200,
      description:
        'Path prefix that callers use and a reverse proxy removes. URLs in answers, the OpenAPI document and Swagger UI begin with it.',
      'x-rule': 'a path such as /logs-gateway, with a slash at the beginning and none at the end',
    }),
  ),
  UI: onOrOff('on', 'Whether the pages for people are served below /ui.'),
  ALLOWED_HOSTS: Type.Optional(
    Type.String({
      pattern: String.raw`^(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?:,(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]))*$`,
      description:
        'Names that the `Host` header may have, without ports, separated by commas. Default: `localhost`, `127.0.0.1` and `[::1]` if HOST is a loopback address and AUTH is none or not set, otherwise any name.',
      'x-rule': 'host names without ports, such as localhost,exports.example.com',
    }),
  ),
  CORS_ORIGINS: origins(
    'Origins whose scripts may call the service from a browser, separated by commas. Default: none, CORS is off.',
    'https://app.example.com',
  ),
  KEEP_ALIVE_SECONDS: Type.Integer({
    minimum: 1,
    maximum: 86_400,
    default: 75,
    description:
      'Seconds that an idle connection stays open. Must be longer than the idle timeout of a load balancer in front.',
    'x-rule': 'a whole number of seconds from 1 to 86400',
  }),
  LOG_LEVEL: Type.Unsafe<(typeof logLevels)[number]>({
    type: 'string',
    enum: logLevels,
    default: 'info',
    description: 'Lowest level of the log lines that are written.',
    'x-rule': `one of ${logLevels.join(', ')}`,
  }),
  LOG_PRETTY: Type.Boolean({
    default: false,
    description: 'Whether log lines are formatted for people instead of JSON.',
    'x-rule': 'true or false',
  }),
  METRICS_PORT: Type.Optional(
    port('Port for `GET /metrics`, such as 9464. Default: no metrics are served.'),
  ),
  METRICS_HOST: address(
    'Address to listen on for metrics. There is no authentication, so let only your monitoring reach it.',
  ),
  METRICS_PER_TARGET: Type.Optional(
    onOrOff(
      undefined,
      'Whether each target and each archive has metrics of its own. Default: only with at most 200 of them. Sums are always present.',
    ),
  ),
  ...otelVariables,
  AWS_REGION: Type.Optional({
    ...region,
    description: 'Region of the only target. Required unless TARGETS_FILE is set.',
    'x-rule': 'an AWS Region such as eu-west-1',
  }),
  SERVICE_ROLE_ARN: Type.Optional({
    ...roleArn,
    description:
      'Role to assume for the only target. Default: the credentials of the default chain of the AWS SDK.',
    'x-rule': 'the ARN of an IAM role such as arn:aws:iam::123456789012:role/log-export',
  }),
  SERVICE_ROLE_EXTERNAL_ID: Type.Optional(
    Type.String({
      minLength: 2,
      maxLength: 1_224,
      pattern: String.raw`^[\w+=,.@:/-]*$`,
      description: 'External id for assuming the role.',
      'x-secret': true,
      'x-rule': '2 to 1224 of the characters A-Z a-z 0-9 _ + = , . @ : / -',
    }),
  ),
  TARGETS_FILE: filePath(
    'JSON file with several targets, instead of AWS_REGION and SERVICE_ROLE_ARN. It is read again when it changes.',
  ),
  EXPORT_JOBS: onOrOff('on', 'Whether export jobs are enabled. If off, no database is opened.'),
  DATA_DIR: Type.String({
    minLength: 1,
    default: '.data',
    description:
      'Directory of the SQLite database of the export jobs, for a single process. Not used if DATABASE_URL is set.',
    'x-rule': 'the path of a directory',
  }),
  DATABASE_URL: Type.Optional(
    Type.String({
      pattern: String.raw`^postgres(?:ql)?://\S+$`,
      description:
        'PostgreSQL database (15 or newer) of the export jobs, for any number of replicas.',
      'x-rule': 'a URL such as postgres://user:password@host:5432/name',
      'x-secret': true,
    }),
  ),
  DATABASE_PASSWORD_FILE: filePath(
    'File with the password for DATABASE_URL. It is read again for each new connection.',
  ),
  FINISHED_JOBS_DAYS: days(
    90,
    'Days that an export job is kept after its end. Then the job is deleted with its slices and events. With 0, jobs are never deleted.',
  ),
  AUDIT_DAYS: days(
    400,
    'Days that the audit of jobs in the database is kept. With 0, it is never deleted.',
  ),
  VERIFICATION: Type.Unsafe<VerificationMode>({
    type: 'string',
    enum: verificationModes,
    default: 'objects',
    description:
      'Verification of exports, for jobs that do not name one. `off`: a slice is completed when AWS says so. `objects`: the objects in S3 are listed, which needs `s3:ListBucket`. `count`: the log events in them are counted, too, and compared with CloudWatch Logs Insights, for which AWS charges.',
    'x-rule': `one of ${verificationModes.join(', ')}`,
  }),
  HEARTBEAT_ORIGINS: origins(
    'Origins that heartbeats of archives may be sent to, separated by commas. Default: none, no archive can have a `heartbeatUrl`.',
    'https://heartbeats.example.com',
  ),
  ...webhookVariables,
  ...wireVariables,
  AUTH: Type.Optional(
    Type.String({
      pattern: '^(?:none|(?:jwt|api-key|mtls)(?:,(?:jwt|api-key|mtls))*)$',
      description:
        'Authentication of callers: `none`, or one or more of `jwt`, `api-key` and `mtls`, separated by commas. Required unless HOST is a loopback address: there, the default is `none`.',
      'x-rule': 'none, or one or more of jwt, api-key and mtls, separated by commas',
    }),
  ),
  JWT_ISSUER: Type.Optional({
    ...url,
    description: 'For `jwt`: the only token issuer, exactly as in the `iss` claim.',
    'x-rule': 'a URL such as https://issuer.example.com/realm',
  }),
  JWT_AUDIENCE: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'Audience that tokens of JWT_ISSUER must have in their `aud` claim.',
      'x-rule': 'text such as log-export-gateway',
    }),
  ),
  JWT_ISSUERS_FILE: filePath(
    'JSON file with several issuers, instead of JWT_ISSUER and JWT_AUDIENCE.',
  ),
  API_KEYS_FILE: filePath(
    'For `api-key`: JSON file with the hashes of the keys. It is read again when it changes.',
  ),
  TLS_CERT_FILE: filePath(
    'PEM file with the certificate for HTTPS. It is read again when it changes.',
  ),
  TLS_KEY_FILE: filePath('PEM file with the key of the certificate.'),
  TLS_CLIENT_CA_FILE: filePath(
    'For `mtls`: PEM file with the CA certificates that sign the certificates of callers.',
  ),
  POLICY_DIR: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Directory with Cedar policies (*.cedar). They are read again when they change. Without POLICY_DIR, everything is allowed if AUTH is none, otherwise nothing is. An empty directory allows nothing.',
      'x-rule': 'the path of a directory',
    }),
  ),
  SCOPED_SESSIONS: onOrOff(
    'off',
    'Whether each create uses a session of the role that is limited to this create. Every target needs a role.',
  ),
  AUDIT_LOG: Type.String({
    minLength: 1,
    default: 'stdout',
    description: 'Destination of the audit log: `stdout`, or a file to append to.',
    'x-rule': 'stdout, or the path of a file',
  }),
  CREATES_PER_MINUTE: limit(
    120,
    'Creates per minute and caller, in each process. Changes and dry runs count, too, but not cancels. 0 means no limit. Not used with AUTH=none.',
  ),
  REQUESTS_PER_MINUTE: limit(
    3000,
    'Other requests per minute and caller, in each process. 0 means no limit. Not used with AUTH=none.',
  ),
  WAITING_SLICES_PER_CALLER: limit(
    100_000,
    'Waiting slices of export jobs per caller. 0 means no limit.',
  ),
  WATCHERS_PER_CALLER: limit(
    100,
    'Open event streams per caller, in each process. The same limit applies to requests with `wait`. 0 means no limit. Not used with AUTH=none.',
  ),
  AWS_CALLS_PER_SECOND: limit(
    4,
    'Calls to CloudWatch Logs per second and target, in each process. Calls for export jobs come first. 0 means no limit. AWS accepts 5 calls per second for each operation, from all clients together.',
  ),
  HTTPS_PROXY: proxy(
    'Forward proxy for calls to AWS and to token issuers. `https_proxy` is read, too.',
  ),
  HTTP_PROXY: proxy('Forward proxy for calls over plain HTTP. `http_proxy` is read, too.'),
  NO_PROXY: Type.Optional(
    Type.String({
      description:
        'Hosts that are called without the proxy, separated by commas. `.example.com` means all its subdomains. This machine is always called without the proxy. `no_proxy` is read, too.',
      'x-rule': 'host names, separated by commas',
    }),
  ),
  AWS_ENDPOINT_URL: Type.Optional(
    Type.String({
      pattern: '^https?://\\S+$',
      description:
        'URL to use instead of the endpoints of AWS, such as an emulator. A warning is logged.',
      'x-rule': 'a URL such as http://127.0.0.1:4566',
    }),
  ),
});
