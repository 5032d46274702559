import { gunzipSync } from 'node:zlib';
import {
  CloudWatchLogsClient,
  CreateExportTaskCommand,
  DescribeExportTasksCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { AssumeRoleCommand, type AssumeRoleCommandInput, STSClient } from '@aws-sdk/client-sts';
import { type Emulator, type EmulatorOptions, type Fault, openEmulator } from '../src/emulator.ts';

/** The fixed time of these tests. */
export const startAt = Date.UTC(2026, 2, 1, 12);

export const logGroupName = '/shop/checkout';
export const bucket = 'shop-exports';

/** Credentials for the SDK. */
export interface Keys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

const plainKeys: Keys = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };

/** Opens an emulator at a fixed time with one log group and one bucket, and clients of the real SDK. */
export async function openAws(options: EmulatorOptions = {}) {
  const emulator = await openEmulator({ startAt, rateLimits: 'off', ...options });
  emulator.seed.logGroup({ logGroupName });
  emulator.seed.bucket({ bucket });
  const clients: { destroy(): void }[] = [];
  const keep = <Client extends { destroy(): void }>(client: Client): Client => {
    clients.push(client);
    return client;
  };
  const config = (credentials: Keys, region: string) => ({
    endpoint: emulator.url,
    region,
    credentials,
    maxAttempts: 1,
  });

  const logsFor = (credentials = plainKeys, region = 'us-east-1') =>
    keep(new CloudWatchLogsClient(config(credentials, region)));
  const s3For = (credentials = plainKeys, region = 'us-east-1') =>
    keep(new S3Client({ ...config(credentials, region), forcePathStyle: true }));
  const stsFor = (credentials = plainKeys) => keep(new STSClient(config(credentials, 'us-east-1')));
  const sts = stsFor();
  const logs = logsFor();
  const s3 = s3For();
  /** A valid input of CreateExportTask. */
  const order = { logGroupName, destination: bucket, from: startAt - 3_600_000, to: startAt };

  return {
    emulator,
    logs,
    s3,
    sts,
    logsFor,
    s3For,
    stsFor,
    order,
    async create(changes: Partial<typeof order> & Record<string, unknown> = {}): Promise<string> {
      const answer = await logs.send(new CreateExportTaskCommand({ ...order, ...changes }));
      return answer.taskId ?? '';
    },
    async describe(taskId: string) {
      const answer = await logs.send(new DescribeExportTasksCommand({ taskId }));
      return answer.exportTasks?.[0];
    },
    async keys(Prefix?: string): Promise<(string | undefined)[]> {
      const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix }));
      return (Contents ?? []).map(({ Key }) => Key);
    },
    /** Assumes a role and returns the credentials of the session. */
    async assume(input: Pick<AssumeRoleCommandInput, 'RoleArn' | 'Policy'>): Promise<Keys> {
      const session = { RoleSessionName: 'test', ...input };
      const { Credentials } = await sts.send(new AssumeRoleCommand(session));
      return {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      };
    },
    put: (Key: string, Body = 'body') =>
      s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body })),
    async get(Key: string | undefined, Range?: string) {
      const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key, Range }));
      const bytes = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
      const text = (Key?.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
      return { ...answer, text };
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      await emulator.close();
    },
  };
}

/** Sends a body that no SDK would send, with a signature for a service. */
export async function sendRaw(
  url: string,
  body: string,
  { service = 'logs', headers = {} }: { service?: string; headers?: Record<string, string> } = {},
) {
  const scope = `Credential=AKIARAW/20260301/us-east-1/${service}/aws4_request`;
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: {
      authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=00`,
      ...headers,
    },
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Sends one operation of CloudWatch Logs as raw JSON text. */
export function sendLogs(url: string, operation: string, json: string) {
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `Logs_20140328.${operation}`,
  };
  return sendRaw(url, json, { headers });
}

/** The raw answer with an error. */
export function refused(type: string, message: string) {
  return { status: 400, text: JSON.stringify({ __type: type, message }) };
}

/** Returns the error of an SDK call, or undefined if it succeeds. */
export async function refusal(call: Promise<unknown>) {
  try {
    await call;
  } catch (error) {
    const { name, message, $metadata } = error as Error & {
      $metadata?: { httpStatusCode?: number };
    };
    return { name, message, status: $metadata?.httpStatusCode };
  }
  return undefined;
}

/** The operation of a fault that CreateExportTask meets. */
export const onCreate = { operation: 'CreateExportTask' } as const;

/** Sends a CreateExportTask that meets a fault. Returns the error for the caller and the effect. */
export async function createUnder(fault: Fault, options: EmulatorOptions = {}) {
  await using aws = await openAws(options);
  aws.emulator.faults.add(fault);
  const seen = await refusal(aws.create());
  const [entry] = aws.emulator.journal.entries();
  return { seen, tasks: aws.emulator.exportTasks().length, entry };
}

/** Waits until the emulator has handled a request that gets no answer. */
export async function arrival({ journal }: Emulator): Promise<void> {
  while (journal.entries().length === 0) await new Promise(setImmediate);
}
