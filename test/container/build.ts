import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

import { readStages, type Stage, type Step } from './dockerfile.ts';

/** A folder that stands for an image. */
export interface Image {
  /** The folder that stands for `/`. */
  root: string;
  /** The folder in which processes start. */
  workdir: string;
  env: Record<string, string>;
  steps: Step[];
}

/** Performs the steps of the Dockerfile in folders, each stage once. */
export interface Builder extends Disposable {
  build(stage: string): Promise<Image>;
}

/** Opens a builder. Disposing of it removes its folders. */
export function openBuilder(): Builder {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'image-'));
  const stages = readStages();
  const built = new Map<string, Promise<Image>>();

  function build(name: string): Promise<Image> {
    const known = built.get(name) ?? begin(name);
    built.set(name, known);
    return known;
  }

  async function begin(name: string): Promise<Image> {
    const stage = stages.find((each) => each.name === name);
    if (!stage) throw new Error(`The Dockerfile has no stage ${name}.`);
    const image = await open(stage, join(folder.path, name));
    for (const step of stage.steps) await perform(step, image);
    image.steps.push(...stage.steps);
    return image;
  }

  async function open({ base }: Stage, root: string): Promise<Image> {
    const path = `${root}/usr/local/bin`;
    if (stages.some(({ name }) => name === base)) {
      const below = await build(base);
      share(below.root, root);
      const workdir = below.workdir.replace(below.root, root);
      return { root, workdir, env: { ...below.env, PATH: path }, steps: [...below.steps] };
    }
    mkdirSync(path, { recursive: true });
    // Of the image Node comes from, Node is all the stages take; here it is the one of this project.
    if (base.includes('BUILD_IMAGE')) symlinkSync(process.execPath, join(path, 'node'));
    return { root, workdir: root, env: { PATH: path }, steps: [] };
  }

  async function perform({ keyword, flags, text, words, properties }: Step, image: Image) {
    if (keyword === 'WORKDIR') image.workdir = join(image.root, text);
    if (keyword === 'ENV') Object.assign(image.env, properties);
    if (keyword === 'RUN') await run(text, image);
    if (keyword === 'COPY') {
      const from = flags.from === undefined ? undefined : (await build(flags.from)).root;
      copy(words.slice(0, -1), words.at(-1) ?? '', from, image);
    }
    mkdirSync(image.workdir, { recursive: true });
  }

  return {
    build,
    [Symbol.dispose]: () => folder.remove(),
  };
}

function copy(sources: string[], destination: string, from: string | undefined, image: Image) {
  const to = destination.startsWith('/')
    ? join(image.root, destination)
    : resolve(image.workdir, destination);
  for (const source of sources) {
    const found = from === undefined ? inContext(source) : join(from, source);
    const isInto = destination.endsWith('/') && !lstatSync(found).isDirectory();
    const target = isInto ? join(to, basename(source)) : to;
    if (from === undefined) cpSync(found, target, { recursive: true });
    else share(found, target);
  }
}

/** Copies by hard links, because stages share thousands of files and never change them. */
function share(from: string, to: string): void {
  if (!lstatSync(from).isDirectory()) {
    mkdirSync(dirname(to), { recursive: true });
    linkSync(from, to);
    return;
  }
  mkdirSync(to, { recursive: true });
  chmodSync(to, lstatSync(from).mode);
  for (const name of readdirSync(from)) share(join(from, name), join(to, name));
}

/** A source of COPY. @throws an error if `.dockerignore` does not let it through */
function inContext(source: string): string {
  const isSent = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .some((line) => line.startsWith('!') && `${source}/`.startsWith(`${line.slice(1)}/`));
  if (!isSent) throw new Error(`${source} is ignored by .dockerignore.`);
  return source;
}

// Variables that npm and the test runner set for this project. They must not reach commands in the folder.
const ofThisProject =
  /^(?:npm_package_|npm_lifecycle_|npm_config_local_prefix$|INIT_CWD$|NODE_|VITEST)/;

async function run(command: string, { workdir, env }: Image): Promise<void> {
  if (/(?:^|[\s=])\//.test(command))
    throw new Error(`Not to be run outside of a container: ${command}`);
  const inherited = Object.entries(process.env).filter(
    ([name]) => !ofThisProject.test(name) || name === 'NODE_EXTRA_CA_CERTS',
  );
  const child = spawn('sh', ['-c', command], {
    cwd: workdir,
    env: {
      ...Object.fromEntries(inherited),
      ...env,
      PATH: `${env.PATH}:${process.env.PATH}`,
      npm_config_prefer_offline: 'true', // the packages were installed here a moment ago
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk) => errors.push(chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${Buffer.concat(errors)}`);
}
