import { delimiter, join, parse, relative, resolve } from 'node:path';

type StartedProcess = Pick<NodeJS.Process, 'argv0' | 'argv' | 'execArgv' | 'env' | 'cwd'>;

/** The words of a shell that start a command of this package again, in the way in which the process was started. */
export function commandNameOf(
  name: string,
  { argv0, argv: [, script = ''], execArgv, env, cwd }: StartedProcess,
): string {
  const { dir, base } = parse(script);
  const isOnPath = (env.PATH ?? '')
    .split(delimiter)
    .some((folder) => resolve(folder) === dir && !isAddedByNpm(dir));
  if (base === name && isOnPath) return name;
  if (env.npm_command !== undefined) return `npx ${name}`;
  const path = relative(cwd(), script);
  return [argv0, ...execArgv, path.startsWith('..') ? script : path].map(quote).join(' ');
}

/** Whether npm adds a folder to the PATH of what it starts. The shell finds no command in it. */
const isAddedByNpm = (dir: string) => dir.endsWith(join('node_modules', '.bin'));

const quote = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
