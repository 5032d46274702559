import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { nodeEnvironment } from '../node-environment.ts';

/** The service as `npm start` runs it, with its default settings. */
export interface GatewayProcess extends AsyncDisposable {
  port: number;
  /** Sends a request with the key of the caller. Never throws: a failed connection has status 0. */
  call(caller: string, method: string, path: string, body?: string): Promise<CallAnswer>;
  /** Its exit code or signal once it has ended. */
  exit(): number | NodeJS.Signals | null | undefined;
}

/** The answer to a call. */
interface CallAnswer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of every shape
  body: any;
}

const main = fileURLToPath(new URL('../../src/bin/main.ts', import.meta.url));

/** Starts the gateway and waits until it is ready. */
export async function openGatewayProcess(options: {
  awsUrl: string;
  databaseUrl: string;
  region: string;
  /** The names of callers with a key. The policies decide what they may do. */
  callers: string[];
  policies: string;
  /** The URL of a module to load first. Default: none. */
  preload?: string | undefined;
}): Promise<GatewayProcess> {
  const { awsUrl, databaseUrl, region, callers, policies, preload } = options;
  const folder = mkdtempSync(join(tmpdir(), 'log-export-gateway-hostile-'));
  const keysFile = join(folder, 'api-keys.json');
  const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
  writeFileSync(
    keysFile,
    JSON.stringify(callers.map((name) => ({ name, sha256: sha256(keyOf(name)) }))),
  );
  writeFileSync(join(folder, 'of-the-test.cedar'), policies);
  const logPath = join(folder, 'gateway.log');
  const logFile = openSync(logPath, 'a');
  const preloads = preload === undefined ? [] : ['--import', preload];
  const child = spawn(process.execPath, [...preloads, main], {
    env: {
      ...nodeEnvironment(),
      HOST: '127.0.0.1',
      PORT: '0',
      DATABASE_URL: databaseUrl,
      AUTH: 'api-key',
      API_KEYS_FILE: keysFile,
      POLICY_DIR: folder,
      AWS_REGION: region,
      AWS_ENDPOINT_URL: awsUrl,
      AUDIT_LOG: join(folder, 'audit.log'),
      AWS_ACCESS_KEY_ID: 'AKIDCHAOS',
      AWS_SECRET_ACCESS_KEY: 'secret-of-the-chaos',
      AWS_CONFIG_FILE: '/nonexistent',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    stdio: ['ignore', logFile, logFile],
  });
  closeSync(logFile); // the child has it
  const ended = once(child, 'exit');
  const log = () => readFileSync(logPath, 'utf8');
  const port = await portWhenReady(log, () => child.exitCode);

  const call: GatewayProcess['call'] = async (caller, method, path, body) => {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: {
          'x-api-key': keyOf(caller),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body }),
        signal: AbortSignal.timeout(60_000),
      });
      const text = await response.text();
      return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
    } catch {
      return { status: 0, body: undefined };
    }
  };
  return {
    port,
    call,
    exit: () => child.exitCode ?? child.signalCode ?? undefined,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

async function portWhenReady(log: () => string, exitCode: () => number | null): Promise<number> {
  while (!log().includes('"msg":"ready"')) {
    if (exitCode() !== null) throw new Error(`The gateway did not start: ${log()}`);
    await delay(50);
  }
  const url = /"url":"(http:[^"]+)"[^\n]*"msg":"listening"/.exec(log())?.[1] ?? '';
  return Number(new URL(url).port);
}

/** The key of a caller. */
export const keyOf = (caller: string): string => `key-of-${caller}`;
