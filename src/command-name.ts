import { delimiter, parse, relative, resolve } from 'node:path';

type StartedProcess = Pick<NodeJS.Process, 'argv0' | 'argv' | 'execArgv' | 'env' | 'cwd'>;

/** The words of a shell that start a command of this package again, in the way in which the process was started. */
export function commandNameOf(
  name: string,
  { argv0, argv: [, script = ''], execArgv, env, cwd }: StartedProcess,
): string {
  // npm finds commands, and the Node of this package, only for what it starts: the shell does not.
  if (env.npm_command !== undefined) return `npx ${name}`;
  const { dir, base } = parse(script);
  const isOnPath = (env.PATH ?? '').split(delimiter).some((folder) => resolve(folder) === dir);
  if (base === name && isOnPath) return name;
  const path = relative(cwd(), script);
  return [argv0, ...execArgv, path.startsWith('..') ? script : path].map(quote).join(' ');
}

const quote = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
