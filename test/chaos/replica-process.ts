import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { ReplicaMessage, ReplicaSettings } from './replica.ts';

/** A running replica. */
export interface ReplicaProcess {
  /** Its name in the leases. */
  owner: string;
  /** Resolves when it is ready, or has ended before it was. */
  ready: Promise<void>;
  /** Resolves when it is about to freeze itself, or has ended. */
  freezing: Promise<void>;
  /** Resolves with how it ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  hasEnded(): boolean;
  signal(signal: NodeJS.Signals): void;
}

/** What a replica is started with beside its settings. */
export interface ReplicaSurroundings {
  awsUrl: string;
  /** Of the file its log goes to. */
  logFile: number;
  /** So that not each of a thousand replicas compiles everything again. */
  compileCacheDir: string;
  /** Preloaded, with its environment. */
  preload?: { module: string; env: Record<string, string> } | undefined;
}

const script = fileURLToPath(new URL('replica.ts', import.meta.url));

/** Starts a replica. None outlives this process. */
export function startReplica(
  settings: ReplicaSettings,
  { awsUrl, logFile, compileCacheDir, preload }: ReplicaSurroundings,
): ReplicaProcess {
  const preloads = preload ? ['--import', preload.module] : [];
  const child = spawn(process.execPath, [...preloads, script, JSON.stringify(settings)], {
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: compileCacheDir,
      AWS_ENDPOINT_URL: awsUrl,
      AWS_ACCESS_KEY_ID: 'AKIDCHAOS',
      AWS_SECRET_ACCESS_KEY: 'secret-of-the-chaos',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/nonexistent',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
      ...preload?.env,
    },
    stdio: ['ignore', logFile, logFile, 'ipc'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').then(([code, signal]) => {
    process.off('exit', kill);
    return { code, signal };
  });
  const until = (message: ReplicaMessage) =>
    Promise.race([hears(child, message), ended.then(() => {})]);
  return {
    owner: settings.owner,
    ready: until('ready'),
    freezing: until('freezing'),
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    signal: (signal) => void child.kill(signal),
  };
}

function hears(child: ChildProcess, message: ReplicaMessage): Promise<void> {
  return new Promise((resolve) => {
    child.on('message', (said) => {
      if (said === message) resolve();
    });
  });
}
