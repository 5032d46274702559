import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ReplicaMessage, ReplicaSettings, Trap } from './replica.ts';
import { pauseMs } from './shortened-limits.ts';

/** A running replica. */
export interface ReplicaProcess {
  /** Its owner name in the leases. */
  owner: string;
  /** Resolves with the port of its API when it is ready, or with `undefined` if it ends before. */
  ready: Promise<number | undefined>;
  /** Returns the targets of the configuration that it read last; none before the first time. */
  configured(): ReadonlySet<string>;
  /** Resolves when it is about to freeze itself. It is resumed after a pause. */
  freezes(): Promise<void>;
  /** Sets or removes the trap. */
  set(trap: Trap | 'none'): void;
  /** Resolves with its exit code or signal. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  hasEnded(): boolean;
  signal(signal: NodeJS.Signals): void;
}

/** The environment of a replica. */
export interface ReplicaEnvironment {
  awsUrl: string;
  /** The file descriptor of its log. */
  logFile: number;
  /** A shared compile cache: otherwise each of a thousand replicas compiles everything. */
  compileCacheDir: string;
  /** A module to preload, with its environment. */
  preload?: { module: string; env: Record<string, string> } | undefined;
  /** The path of `replica.ts` in another version of the project. Default: this version. */
  script?: string | undefined;
}

const currentScript = fileURLToPath(new URL('replica.ts', import.meta.url));

/** Starts a replica. It ends with this process. */
export function startReplica(
  settings: ReplicaSettings,
  { awsUrl, logFile, compileCacheDir, preload, script = currentScript }: ReplicaEnvironment,
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
  let configured: ReadonlySet<string> = new Set();
  child.on('message', (message: ReplicaMessage) => {
    if (message.type === 'freezing') setTimeout(() => child.kill('SIGCONT'), pauseMs);
    if (message.type === 'configured') configured = new Set(message.targets);
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').then(([code, signal]) => {
    process.off('exit', kill);
    return { code, signal };
  });
  return {
    owner: settings.owner,
    ready: Promise.race([waitForMessage(child, 'ready'), ended]).then((message) =>
      'port' in message ? message.port : undefined,
    ),
    configured: () => configured,
    freezes: () => waitForMessage(child, 'freezing').then(() => {}),
    set: (trap) => void (child.connected && child.send(trap, () => {})), // it may be ending
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    signal: (signal) => void child.kill(signal),
  };
}

function waitForMessage(
  child: ChildProcess,
  type: ReplicaMessage['type'],
): Promise<ReplicaMessage> {
  return new Promise((resolve) => {
    child.on('message', (message: ReplicaMessage) => {
      if (message.type === type) resolve(message);
    });
  });
}
