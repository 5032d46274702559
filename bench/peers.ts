import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findFreePort } from '../test/free-port.ts';
import { type Child, pathOf, startChild, startProgram } from './child.ts';
import { makeFolder } from './folder.ts';
import { subjectCore } from './machine.ts';
import { waitUntil } from './wait-until.ts';

/** A small service of another make that also creates export tasks. */
export interface Peer extends Child {
  url: string;
}

/** Starts a peer with an environment. Resolves with `undefined` if what it needs is not installed. */
type StartPeer = (env: Record<string, string>) => Promise<Peer | undefined>;

/** The peers, by the name in the output. */
export const peers: Record<string, StartPeer> = {
  'Go, SDK v2': async (env) => {
    const program = join(makeFolder(), 'peer');
    const build = ['build', '-o', program, '.'];
    const { status } = spawnSync('go', build, { cwd: pathOf('bench/peers/go'), stdio: 'ignore' });
    return status === 0 ? startListening((port) => [program, port], env) : undefined;
  },
  'FastAPI, boto3': async (env) => {
    const { status } = spawnSync('python3', ['-c', 'import boto3, fastapi, uvicorn'], {
      stdio: 'ignore',
    });
    const folder = pathOf('bench/peers/python');
    const serve = ['python3', '-B', '-m', 'uvicorn', '--log-level', 'warning', '--app-dir', folder];
    return status === 0
      ? startListening((port) => [...serve, '--port', port, 'main:app'], env)
      : undefined;
  },
};

/** Starts Fastify with the SDK, the peer that is always installed. */
export async function startFastifyPeer(env: Record<string, string>): Promise<Peer> {
  const child = startChild({ script: 'bench/processes/fastify-sdk.ts', core: subjectCore, env });
  const { url } = await child.whenReady<{ url: string }>();
  return { ...child, url };
}

async function startListening(
  command: (port: string) => string[],
  env: Record<string, string>,
): Promise<Peer> {
  const port = await findFreePort();
  const child = startProgram({ command: command(String(port)), core: subjectCore, env });
  await waitUntil({
    what: `a peer to listen: ${command(String(port))}`,
    async read() {
      if (child.hasEnded()) throw new Error(`A peer did not start: ${command(String(port))}`);
      return isListening(port);
    },
    isDone: (isThere) => isThere,
    describe: () => 'no listener',
    pauseMs: () => 20,
  });
  return { ...child, url: `http://127.0.0.1:${port}` };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
