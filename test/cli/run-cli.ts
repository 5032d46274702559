import { runCommandLine } from '#cli/run-command-line.ts';
import type { Surroundings } from '#cli/surroundings.ts';

/** What a command has written, and its exit code. */
export interface CliRun {
  code: number;
  stdout: string;
  stderr: string;
}

/** The terminal of a person, for the options of `runCli`. */
export interface CliOptions extends Partial<Omit<Surroundings, 'stdout' | 'stderr'>> {
  /** The width of a terminal. Default: the output is piped. */
  columns?: number;
  /** Called with each part of the output. */
  onOutput?: (text: string) => void;
}

/** Splits a command line as a shell does, with quotes. */
export const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '');

/** Runs a command line in this process. Sleeping is skipped, and nothing times out. */
export async function runCli(
  line: string | string[],
  { columns, onOutput, ...surroundings }: CliOptions = {},
): Promise<CliRun> {
  const run = { stdout: '', stderr: '' };
  const outputTo = (name: 'stdout' | 'stderr') => ({
    write(content: string | Uint8Array) {
      const text = typeof content === 'string' ? content : new TextDecoder().decode(content);
      run[name] += text;
      onOutput?.(text);
    },
    isTerminal: columns !== undefined,
    columns: () => columns ?? 80,
  });
  const words = typeof line === 'string' ? wordsOf(line) : line;
  const code = await runCommandLine(words[0] === 'log-export' ? words.slice(1) : words, {
    env: {},
    version: '1.2.3',
    commandName: 'log-export',
    stdout: outputTo('stdout'),
    stderr: outputTo('stderr'),
    fetch,
    readFile: () => '',
    now: Date.now,
    random: () => 0,
    sleep: async () => {},
    timeout: () => new AbortController().signal,
    interrupted: new AbortController().signal,
    verifyManifest: async () => 0,
    readWireKey: async () => '',
    ...surroundings,
  });
  return { code, ...run };
}
