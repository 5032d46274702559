import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { temporaryDir } from '../database/homes.ts';
import { findFreePort } from '../free-port.ts';
import { nodeEnvironment } from '../node-environment.ts';
import { idleLoop } from '../read-idle-loop.ts';

// Every command of the walk in docs/archives.md is run, in order, and every claim beside it is checked.

const page = readFileSync('docs/archives.md', 'utf8');
const walk = page.slice(page.indexOf('## Try it'));
const steps = [...walk.matchAll(/([\s\S]*?)^```sh\n([\s\S]*?)^```$/gm)].map(
  ([, text = '', commands = '']) => ({ text, commands }),
);

let folder: string;
let remove: () => void;
let port: number;
let gateway: ChildProcess | undefined;
beforeAll(async () => {
  folder = temporaryDir((whenDone) => {
    remove = whenDone;
  });
  port = await findFreePort();
});
afterAll(async () => {
  await kill();
  remove();
});

/** Starts the gateway as `npm run demo:archives` does, in a folder of its own. It sheds no requests on a busy machine. */
async function start(emulatorPort: number): Promise<void> {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  const [node, file = ''] = scripts['demo:archives'].split(' ');
  expect(node).toBe('node');
  gateway = spawn(process.execPath, ['--import', idleLoop, resolve(file)], {
    cwd: folder,
    env: { ...nodeEnvironment(), EMULATOR_PORT: String(emulatorPort), PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  gateway.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  await expect.poll(() => output).toContain('The gateway listens at');
}

async function kill(): Promise<void> {
  if (gateway?.exitCode !== null || gateway.signalCode !== null) return;
  gateway.kill('SIGKILL');
  await once(gateway, 'close');
}

/** A shell that keeps its variables and functions from step to step, like the terminal of a reader. */
function openShell() {
  const shell = spawn('bash', ['-e'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  shell.stdout.on('data', (chunk) => {
    output += chunk;
  });
  return {
    async run(commands: string): Promise<string> {
      output = '';
      shell.stdin.write(`${commands}\necho; echo end of step\n`);
      await expect.poll(() => output, { interval: 20 }).toContain('end of step\n');
      return output;
    },
    [Symbol.dispose]: () => void shell.kill(),
  };
}

test('the walk through archives says what happens', async () => {
  await using emulator = await openEmulator({ port: 0, pendingMs: 0, runningMs: 200 });
  using shell = openShell();
  const outputs: string[] = [];
  const archive = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/archives?name=shop`);
    const [{ id, state, progress }] = (await answer.json()).archives;
    const { partitionCounts: counts, watermark } = progress;
    const page = await fetch(`http://127.0.0.1:${port}/ui/archives/${id}`);
    const isRiskNamed = (await page.text()).includes('1 partition at risk');
    return { state, watermark: watermark.slice(0, 10), isRiskNamed, ...counts };
  };
  /** What the text beside a step promises, by its first words. */
  const promises: [text: string, expected: object][] = [
    ['Turn the clock by 36 hours, to 2 May', { covered: 3, watermark: '2024-05-02' }],
    ['It is 4 May at 20:00', { state: 'current', covered: 10, watermark: '2024-05-04' }],
    ['Pause the archive, and shorten', { state: 'paused', atRisk: 1, isRiskNamed: true }],
    ['The log events of 4 May expire', { state: 'current', covered: 14, lost: 0 }],
    ['It is 9 May at 08:00', { state: 'atRisk', covered: 25, atRisk: 1 }],
    [
      'The hour from 08:00 to 09:00 of 6 May',
      { state: 'incomplete', covered: 25, lost: 2, watermark: '2024-05-05' },
    ],
    ['Record that this loss is known', { state: 'current', waived: 2, watermark: '2024-05-08' }],
  ];
  const kept = new Set<string>();

  for (const { text, commands } of steps) {
    if (/Stop the gateway/.test(text)) await kill();
    if (commands.includes('npm run emulator')) continue;
    if (commands.includes('npm run demo:archives')) {
      await start(emulator.port);
      continue;
    }
    const adapted = commands
      .replaceAll('http://127.0.0.1:4566', emulator.url)
      .replaceAll('http://127.0.0.1:8080', `http://127.0.0.1:${port}`);
    outputs.push(await shell.run(adapted));
    for (const [promise, expected] of promises) {
      if (!text.includes(promise)) continue;
      await expect.poll(archive, { interval: 1_000 }).toMatchObject(expected);
      kept.add(promise);
    }
  }

  expect(steps.length).toBeGreaterThan(12);
  expect([...kept]).toEqual(promises.map(([text]) => text));
  expect(outputs.at(-1)).toContain('"isCovered":true');
  expect(outputs.filter((output) => output.includes('/problems/'))).toEqual([]);
});
