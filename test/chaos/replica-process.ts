import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { pauseMs } from './limits.ts';
import type { ReplicaMessage, ReplicaSettings, Trap } from './replica.ts';

/** A running replica. */
export interface ReplicaProcess {
  /** Its name in the leases. */
  owner: string;
  /** Resolves when it is ready, or has ended before it was; with the port of its API. */
  ready: Promise<number | undefined>;
  /** Resolves when it is about to freeze itself; after a pause it is thawed. */
  freezes(): Promise<void>;
  /** Sets another trap, or none. */
  set(trap: Trap | 'none'): void;
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
  child.on('message', ({ is }: ReplicaMessage) => {
    if (is === 'freezing') setTimeout(() => child.kill('SIGCONT'), pauseMs);
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').then(([code, signal]) => {
    process.off('exit', kill);
    return { code, signal };
  });
  return {
    owner: settings.owner,
    ready: Promise.race([hears(child, 'ready'), ended]).then((said) =>
      'port' in said ? said.port : undefined,
    ),
    freezes: () => hears(child, 'freezing').then(() => {}),
    set: (trap) => void (child.connected && child.send(trap, () => {})), // it may just be dying
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    signal: (signal) => void child.kill(signal),
  };
}

function hears(child: ChildProcess, what: ReplicaMessage['is']): Promise<ReplicaMessage> {
  return new Promise((resolve) => {
    child.on('message', (said: ReplicaMessage) => {
      if (said.is === what) resolve(said);
    });
  });
}
