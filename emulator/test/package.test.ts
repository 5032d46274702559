import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The package is packed, and installed in an empty folder.

const emulatorFolder = fileURLToPath(new URL('..', import.meta.url));
const repository = join(emulatorFolder, '..');
const { name, version } = JSON.parse(readFileSync(join(emulatorFolder, 'package.json'), 'utf8'));
// The settings of the npm that runs the tests must not reach this one.
const env = {
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
  HOME: process.env.HOME,
  npm_config_update_notifier: 'false',
};

let folder: ReturnType<typeof mkdtempDisposableSync>;
let packedFiles: string[];
beforeAll(async () => {
  folder = mkdtempDisposableSync(join(tmpdir(), 'package-'));
  const packed = await npm(emulatorFolder, 'pack', '--json', '--pack-destination', folder.path);
  // The output of prepack comes before the JSON.
  const [{ files }] = JSON.parse(packed.slice(packed.indexOf('[\n'))) as [
    { files: { path: string }[] },
  ];
  packedFiles = files.map(({ path }) => path).sort();
  writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }');
  await npm(folder.path, 'install', '--offline', '--no-audit', `./${name}-${version}.tgz`);
});
afterAll(() => folder?.remove());

async function npm(cwd: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('npm', args, { cwd, env });
  return stdout;
}

describe('the packed emulator', () => {
  it('holds only compiled code, types, README and license', () => {
    const others = packedFiles.filter((file) => !/^dist\/.*\.(?:js|d\.ts)$/.test(file));

    expect(others).toEqual(['LICENSE', 'README.md', 'package.json']);
    expect(packedFiles).toEqual(
      expect.arrayContaining(['dist/bin/main.js', 'dist/emulator.js', 'dist/emulator.d.ts']),
    );
  });

  it('serves the examples to the AWS SDK, and exits with 0 on SIGTERM', async () => {
    const command = join(folder.path, 'node_modules/.bin', name);
    const child = spawn(command, ['--examples'], {
      env: { ...env, EMULATOR_PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const client = new CloudWatchLogsClient({
      endpoint: /listens on (.+)\.$/.exec(line)?.[1] ?? '',
      region: 'eu-west-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });

    const { logGroups } = await client.send(new DescribeLogGroupsCommand());
    client.destroy();
    child.kill('SIGTERM');

    expect(logGroups?.map(({ logGroupName }) => logGroupName)).toEqual(['/demo/checkout']);
    expect(await exited).toEqual([0, null]);
  });

  it('has types for the program that imports it', async () => {
    const program = join(folder.path, 'typed.ts');
    writeFileSync(
      program,
      `import { openEmulator } from '${name}';
       await openEmulator({ pendingMs: 5, runningMs: [1, 2] });
       // @ts-expect-error: milliseconds are a number
       await openEmulator({ pendingMs: 'five' });`,
    );
    const settings = ['--module', 'nodenext', '--strict', '--skipLibCheck', 'false', '--noEmit'];
    const types = ['--types', 'node', '--typeRoots', join(repository, 'node_modules/@types')];
    const tsc = join(repository, 'node_modules/.bin/tsc');

    const { stdout } = await promisify(execFile)(tsc, [...settings, ...types, program], {
      cwd: folder.path,
      env,
    });

    expect(stdout).toBe('');
  });

  it('opens an emulator when a program imports it by name', async () => {
    writeFileSync(
      join(folder.path, 'program.js'),
      `import { openEmulator } from '${name}';
       await using emulator = await openEmulator();
       const { status } = await fetch(emulator.url + '/_emulator/clock');
       console.log(status);`,
    );

    const { stdout } = await promisify(execFile)('node', ['program.js'], {
      cwd: folder.path,
      env,
    });

    expect(stdout).toBe('200\n');
  });
});

describe('the command', () => {
  const run = (args: string[], settings: Record<string, string> = {}) =>
    promisify(execFile)(process.execPath, ['src/bin/main.ts', ...args], {
      cwd: emulatorFolder,
      env: { ...env, EMULATOR_PORT: '0', ...settings },
    });

  it('prints its usage with --help', async () => {
    const { stdout } = await run(['--help']);

    expect(stdout).toMatch(/^Usage: cloudwatch-logs-export-emulator \[--examples\]\n/);
  });

  it('exits with 1 and a sentence on an older Node', async () => {
    const older = `Object.defineProperty(process.versions,'node',{value:'20.1.0'})`;
    const error = await run(['--help'], {
      NODE_OPTIONS: `--import=data:text/javascript,${older}`,
    }).catch((caught) => caught);

    expect(error).toMatchObject({
      code: 1,
      stderr: 'The emulator needs Node 22; this is 20.1.0.\n',
    });
  });

  it.each([
    [['--example'], {}, /^Unknown option '--example'/],
    [[], { EMULATOR_PORT: 'http' }, /^EMULATOR_PORT is "http", but must be [^\n]+\n$/],
    [[], { EMULATOR_OPTIONS: '[]' }, /^EMULATOR_OPTIONS is "\[\]", but must be [^\n]+\n$/],
    [[], { EMULATOR_OPTIONS: '{"a":1}' }, /^The emulator has no option "a"; it has [^\n]+\n$/],
  ])('exits with 1 and a sentence for %j with %j', async (args, settings, sentence) => {
    const error = await run(args, settings).catch((caught) => caught);

    expect(error).toMatchObject({ code: 1, stderr: expect.stringMatching(sentence) });
  });
});
