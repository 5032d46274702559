import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  examplesAt,
  openEmulator,
  readEmulatorOptions,
  seedExamples,
} from 'cloudwatch-logs-export-emulator/source';
import { readConfig } from '#config/read-config.ts';
import { openDatabase } from '#database/open-database.ts';
import { openGateway } from '#open-gateway.ts';
import { configError } from '#problems/config-error.ts';
import { makeLogger, openLogDestination } from '#telemetry/logger.ts';
import { createExampleJobs } from './demo/example-jobs.ts';
import { exit, exitWith } from './exit.ts';

const { once: isOnce } = exitWith(() =>
  parseArgs({ options: { once: { type: 'boolean', default: false } } }),
).values;
const { region, logGroupName, bucket } = examplesAt;
const dataDir = resolve('.data/demo');
const s3Dir = join(dataDir, 's3');

const say = (text = '') => process.stdout.write(`${text}\n`);
const step = (number: number, text: string) => say(`\n\x1b[1m${number}. ${text}\x1b[0m`);

// The AWS settings of this machine must not reach the demo, and the demo must not reach a real account.
for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
const { emulatorOptions, config } = exitWith(() => ({
  emulatorOptions: readEmulatorOptions(process.env),
  config: {
    ...readConfig({ WIRE: 'on', ...process.env, AWS_REGION: region }, () => ''),
    jobs: { dataDir: join(dataDir, 'jobs') },
    auditLog: join(dataDir, 'audit.jsonl'),
    targets: [
      { name: 'default', region },
      { name: 'busy', region: 'us-east-1' },
    ],
  },
}));

// Keeps another demo from deleting the files of this one.
const lock = await openDatabase({ dataDir: join(dataDir, 'lock') }).catch(({ message }) =>
  exit(configError(`The demo needs ${dataDir} for itself; stop another demo. ${message}`)),
);
for (const name of ['s3', 'jobs', 'audit.jsonl'])
  await rm(join(dataDir, name), { recursive: true, force: true });
const emulator = await openEmulator({ ...emulatorOptions, dataDir: s3Dir }).catch(exit);
Object.assign(process.env, {
  AWS_ENDPOINT_URL: emulator.url,
  AWS_ACCESS_KEY_ID: 'demo',
  AWS_SECRET_ACCESS_KEY: 'demo',
  AWS_EC2_METADATA_DISABLED: 'true',
});
const log = makeLogger(process.env.LOG_LEVEL ?? 'error', await openLogDestination(true));
const gateway = await openGateway({ config, log, lameDuckMs: 0 }).catch(exit);
await gateway.ready;

say('\x1b[1mlog-export-gateway: a demo that uses this machine only.\x1b[0m');
say(`An emulator plays AWS at ${emulator.url}. The gateway listens at ${gateway.url}.`);

step(1, 'The AWS SDK puts log events into CloudWatch Logs.');
const logs = new CloudWatchLogsClient({ region });
const s3 = new S3Client({ region, forcePathStyle: true });
const put = await putSampleLogs();
say(`   ${put.length} events in 3 streams of log group ${logGroupName}.`);

step(2, 'The AWS SDK creates a bucket that CloudWatch Logs may write to.');
await makeBucket();
say(`   s3://${bucket}`);

step(3, 'The REST API of the gateway starts an export.');
const now = Date.now();
const order = {
  taskName: 'demo',
  logGroupName,
  from: now - 3_600_000,
  to: now,
  destination: bucket,
  destinationPrefix: 'checkout',
};
say(`   curl -i ${gateway.url}/export-tasks -H 'content-type: application/json' \\`);
say(`     -d '${JSON.stringify(order)}'\n`);
const created = await fetch(`${gateway.url}/export-tasks`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(order),
});
const answer = (await created.json()) as { taskId: string };
say(`   ${created.status} ${created.statusText}   Location: ${created.headers.get('location')}`);
say(`   ${JSON.stringify(answer)}`);
if (created.status !== 201) exit(new Error('The export was not accepted.'));

step(4, 'The status of the export, until it ends.');
say(`   curl ${gateway.url}/export-tasks/${answer.taskId}\n`);
const status = await watch(answer.taskId);

step(5, 'The exported objects.');
const lines = await readExport(answer.taskId);

const written = new Set(lines);
const missing = put.filter((line) => !written.has(line)).length;
const extra = lines.length - (put.length - missing);
say();
if (status === 'COMPLETED' && missing === 0 && extra === 0) {
  say(`\x1b[32mAll ${put.length} events are in the export, each exactly once.\x1b[0m`);
} else {
  say(`\x1b[31mThe export is ${status}; ${missing} events are missing, ${extra} too many.\x1b[0m`);
  process.exitCode = 1;
}

if (isOnce) {
  await close();
} else {
  seedExamples(emulator.seed);
  await createExampleJobs(gateway.url, emulator.seed).catch(exit);
  say(`\nPages with the slots and jobs: \x1b[1m${gateway.url}/ui/targets\x1b[0m`);
  say(`Swagger UI, to try the rest of the API: \x1b[1m${gateway.url}/docs\x1b[0m`);
  say(
    'Its examples of export tasks work without changes. For a job, use the id of one that you created.',
  );
  say(
    'For about a minute, three example jobs use the slot: meanwhile an export task gets 429, and jobs wait. Ctrl-C stops the demo.',
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close());
}

async function close(): Promise<void> {
  await gateway.close();
  await emulator.close();
  await lock[Symbol.asyncDispose]();
  process.exit();
}

/** Puts events of three hosts in the last half hour and returns their lines. Each line is unique. */
async function putSampleLogs(): Promise<string[]> {
  const began = Date.now() - 30 * 60_000;
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  const all: string[] = [];
  for (const host of ['checkout-1', 'checkout-2', 'checkout-3']) {
    const logStreamName = `${host}/app`;
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    const logEvents = Array.from({ length: 1_000 }, (_, index) => ({
      timestamp: began + index * 1_700,
      message: sampleMessage(host, index),
    }));
    await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
    all.push(...logEvents.map((e) => `${new Date(e.timestamp).toISOString()} ${e.message}`));
  }
  return all;
}

function sampleMessage(host: string, index: number): string {
  const order = 40_000 + index * 3;
  const ms = 12 + ((index * 37) % 240);
  return index % 97 === 0
    ? `WARN  ${host} payment provider slow order=${order} attempt=2 ms=${ms * 9}`
    : `INFO  ${host} order placed order=${order} items=${1 + (index % 7)} ms=${ms}`;
}

async function makeBucket(): Promise<void> {
  await s3.send(
    new CreateBucketCommand({
      Bucket: bucket,
      CreateBucketConfiguration: { LocationConstraint: region },
    }),
  );
  const Principal = { Service: `logs.${region}.amazonaws.com` };
  const Resource = `arn:aws:s3:::${bucket}`;
  const Statement = [
    { Effect: 'Allow', Principal, Action: 's3:GetBucketAcl', Resource },
    { Effect: 'Allow', Principal, Action: 's3:PutObject', Resource: `${Resource}/*` },
  ];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
}

async function watch(taskId: string): Promise<string> {
  let last = '';
  while (!['COMPLETED', 'FAILED', 'CANCELLED'].includes(last)) {
    const task = (await (await fetch(`${gateway.url}/export-tasks/${taskId}`)).json()) as {
      status: { code: string; message?: string };
    };
    const { code, message = '' } = task.status;
    if (code !== last) say(`   ${new Date().toISOString()}  ${code.padEnd(9)}  ${message}`);
    last = code;
    await sleep(200);
  }
  return last;
}

/** Lists and reads the exported objects and returns their lines. */
async function readExport(taskId: string): Promise<string[]> {
  const Prefix = `checkout/${taskId}/`;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix }));
  const lines: string[] = [];
  for (const { Key = '', Size } of Contents) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    const bytes = await Body?.transformToByteArray();
    const text = gunzipSync(bytes ?? new Uint8Array()).toString('utf8');
    const own = text.split('\n').filter((line) => line !== '');
    if (lines.length === 0) say(`   on disk below ${s3Dir}/${bucket}\n`);
    say(`   ${Key}  ${Size} bytes, ${own.length} lines`);
    if (lines.length === 0) for (const line of own.slice(0, 3)) say(`      ${line}`);
    lines.push(...own);
  }
  return lines;
}
