import type { ProxyEnv } from 'node:http';
import { isIP } from 'node:net';
import type { VerificationMode } from '#export-jobs/planning/verification-mode.ts';
import type { KeepTimes } from '#export-jobs/retention/purge.ts';
import { isPublicAddress } from '#outbound/public-address.ts';
import { configError } from '#problems/config-error.ts';
import type { TargetSettings } from '#targets/target.ts';
import { dayMs } from '#time/durations.ts';
import { checkSettings, type FileVariable, fileError } from '#validation/settings.ts';
import { type AccessConfig, readAccess } from './access.ts';
import { type EdgeConfig, readEdge } from './edge.ts';
import { type MetricsConfig, readMetrics } from './metrics.ts';
import { readProxy, withProxyNames } from './proxy.ts';
import { checkTargets, readTargets } from './targets-file.ts';
import { readTraces, type TracesConfig } from './traces/read-traces.ts';
import { readOrigins } from './variables/origins.ts';
import { readWebhooks, type WebhooksConfig } from './variables/read-webhooks.ts';
import { Environment } from './variables.ts';
import { readWire, type WireConfig } from './wire/read-wire.ts';

/** The configuration of the gateway, read at its start. */
export interface Config {
  host: string;
  port: number;
  /** The path prefix that a reverse proxy strips; empty if there is none. */
  basePath: string;
  logLevel: Environment['LOG_LEVEL'];
  isLogPretty: boolean;
  targets: TargetSettings[];
  /** The file with the targets, which is read again when it changes; undefined if there is none. */
  targetsFile: FileVariable | undefined;
  /** Where export jobs are stored; undefined if they are switched off. */
  jobs: JobsConfig | undefined;
  /** Where metrics are served; undefined if they are not. */
  metrics: MetricsConfig | undefined;
  /** How traces are made; undefined if there are none. */
  traces: TracesConfig | undefined;
  /** How callers reach the service. */
  edge: EdgeConfig;
  /** Whether the pages for people are served. */
  isUiOn: boolean;
  /** How callers authenticate, and where the policies are. */
  access: AccessConfig;
  /** Whether each create uses its own role session, limited to its log group and destination. */
  isSessionScoped: boolean;
  /** The forward proxy for calls to AWS and to token issuers, if there is one. */
  proxyEnv: ProxyEnv | undefined;
  /** Where the audit goes: `stdout` or a file. */
  auditLog: string;
  /** The most calls to AWS per second and target; 0 means no limit. */
  awsCallsPerSecond: number;
  /** The limits of each caller; 0 means no limit. */
  limits: CallerLimits;
  /** How the exports of jobs are verified that do not name it. */
  verification: VerificationMode;
  /** The origins that heartbeats of archives may be sent to. */
  heartbeatOrigins: readonly string[];
  /** Where webhook endpoints may be; undefined if callers can have none. */
  webhooks: WebhooksConfig | undefined;
  /** How AWS clients are served; undefined if they are not. */
  wire: WireConfig | undefined;
  /** How long finished jobs and the audit of jobs are kept, in milliseconds; 0 means always. */
  keep: KeepTimes;
}

/** The limits of each caller; 0 means no limit. */
interface CallerLimits {
  createsPerMinute: number;
  requestsPerMinute: number;
  waitingSlices: number;
  watchers: number;
}

/** Where export jobs are stored: in PostgreSQL if there is a URL, otherwise in SQLite in `dataDir`. */
export interface JobsConfig {
  dataDir: string;
  databaseUrl?: string;
  /** File with its password; absent if the password is in the URL. */
  databasePasswordFile?: string;
}

/**
 * Reads the configuration of the gateway. `readFile` reads TARGETS_FILE, JWT_ISSUERS_FILE and WIRE_SECRET_FILE.
 * @throws an error named ConfigError that names the variable, its value and what it must be
 */
export function readConfig(env: NodeJS.ProcessEnv, readFile: (path: string) => string): Config {
  const read = readEnvironment(env);
  const jobs = jobsConfig(read);
  const isSessionScoped = read.SCOPED_SESSIONS === 'on';
  const targetsFile = targetsFileOf(read);
  const targets = targetsFile ? readTargets(targetsFile, readFile) : [onlyTarget(read)];
  checkTargets(targets, { isSessionScoped, isSlotExclusive: jobs !== undefined });
  return {
    host: read.HOST,
    port: read.PORT,
    basePath: read.PUBLIC_BASE_PATH ?? '',
    logLevel: read.LOG_LEVEL,
    isLogPretty: read.LOG_PRETTY,
    targets,
    targetsFile,
    jobs,
    metrics: readMetrics(read),
    traces: readTraces(read),
    edge: readEdge(read),
    isUiOn: read.UI === 'on',
    access: readAccess(read, readFile),
    isSessionScoped,
    proxyEnv: readProxy(read),
    auditLog: read.AUDIT_LOG,
    awsCallsPerSecond: read.AWS_CALLS_PER_SECOND,
    limits: {
      createsPerMinute: read.CREATES_PER_MINUTE,
      requestsPerMinute: read.REQUESTS_PER_MINUTE,
      waitingSlices: read.WAITING_SLICES_PER_CALLER,
      watchers: read.WATCHERS_PER_CALLER,
    },
    verification: read.VERIFICATION,
    heartbeatOrigins: readHeartbeatOrigins(read),
    webhooks: jobs && readWebhooks(read),
    wire: readWire(read, readFile),
    keep: {
      finishedJobsMs: read.FINISHED_JOBS_DAYS * dayMs,
      auditMs: read.AUDIT_DAYS * dayMs,
    },
  };
}

/** Reads where export jobs are stored; undefined if they are switched off. @throws an error named ConfigError */
export function readJobsConfig(env: NodeJS.ProcessEnv): JobsConfig | undefined {
  return jobsConfig(readEnvironment(env));
}

/** Reads the variables of the gateway, with their defaults. @throws an error named ConfigError */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  // Shells and Compose files write a variable that is not set as an empty one.
  const data = Object.fromEntries(
    Object.entries(withProxyNames(env)).filter(([, value]) => value !== ''),
  );
  return checkSettings(Environment, data, {
    areTexts: true,
    toError: configError,
    nameOf: (path) => path.slice(1),
  });
}

function jobsConfig(env: Environment): JobsConfig | undefined {
  const { EXPORT_JOBS, DATA_DIR, DATABASE_URL, DATABASE_PASSWORD_FILE } = env;
  if (EXPORT_JOBS === 'off') return undefined;
  if (DATABASE_PASSWORD_FILE && !DATABASE_URL) {
    throw configError(
      'DATABASE_PASSWORD_FILE is set, but DATABASE_URL is not; set it to a URL such as postgres://user@host:5432/name.',
    );
  }
  return {
    dataDir: DATA_DIR,
    ...(DATABASE_URL && { databaseUrl: DATABASE_URL }),
    ...(DATABASE_PASSWORD_FILE && { databasePasswordFile: DATABASE_PASSWORD_FILE }),
  };
}

function onlyTarget(env: Environment): TargetSettings {
  const { AWS_REGION, SERVICE_ROLE_ARN, SERVICE_ROLE_EXTERNAL_ID } = env;
  if (!AWS_REGION) {
    throw configError(
      'AWS_REGION is not set; set it to an AWS Region such as eu-west-1, or set TARGETS_FILE to the path of a file with targets.',
    );
  }
  if (SERVICE_ROLE_EXTERNAL_ID && !SERVICE_ROLE_ARN) {
    throw configError(
      'SERVICE_ROLE_EXTERNAL_ID is set, but SERVICE_ROLE_ARN is not; set it to the role to assume with this external id.',
    );
  }
  return {
    name: 'default',
    region: AWS_REGION,
    ...(SERVICE_ROLE_ARN && { roleArn: SERVICE_ROLE_ARN }),
    ...(SERVICE_ROLE_EXTERNAL_ID && { externalId: SERVICE_ROLE_EXTERNAL_ID }),
  };
}

function readHeartbeatOrigins({ HEARTBEAT_ORIGINS }: Environment): string[] {
  const origins = readOrigins('HEARTBEAT_ORIGINS', HEARTBEAT_ORIGINS);
  for (const origin of origins) {
    const { protocol, hostname } = new URL(origin);
    const host = hostname.replace(/^\[|\]$/g, '');
    if (protocol === 'https:' && (isIP(host) === 0 || isPublicAddress(host))) continue;
    throw configError(
      `HEARTBEAT_ORIGINS contains ${JSON.stringify(origin)}, but heartbeats are sent over HTTPS to public addresses only; remove it.`,
    );
  }
  return origins;
}

function targetsFileOf(env: Environment): FileVariable | undefined {
  if (!env.TARGETS_FILE) return undefined;
  const variable = { name: 'TARGETS_FILE', path: env.TARGETS_FILE };
  if (!env.SERVICE_ROLE_ARN) return variable;
  throw fileError(
    variable,
    'SERVICE_ROLE_ARN must not be set, too; give each target in the file its own roleArn.',
  );
}
