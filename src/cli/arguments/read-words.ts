import { parseArgs } from 'node:util';

import type { Command, CommandOption, GivenWords } from '../command.ts';
import { makeUsageError } from '../exit-codes.ts';

/** The options of every command. */
export const commonOptions: Record<string, CommandOption> = {
  help: { description: 'Explain the command.' },
};

// A time before now begins with a dash, and so do options.
const beforeNow = /^-\d/;

/** Reads the words after the name of a command. @throws CommandError of exit code 2 */
export function readWords(words: string[], { options, operands }: Command): GivenWords {
  const all = { ...options, ...commonOptions };
  const { values, positionals } = parse(joinTimes(words, all), all);
  const { min, max } = operands;
  if (!values.help && (positionals.length < min || positionals.length > max)) {
    const first = positionals[max];
    throw makeUsageError(
      first === undefined ? 'An argument is missing.' : `The argument "${first}" is not expected.`,
    );
  }
  return {
    operands: positionals,
    text(name) {
      const value = values[name];
      return typeof value === 'string' ? value : undefined;
    },
    texts(name) {
      const value = values[name];
      return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
    },
    isGiven: (name) => values[name] !== undefined,
  };
}

function parse(args: string[], options: Record<string, CommandOption>) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { value, isMultiple = false }]) => [
          name,
          {
            type: value === undefined ? ('boolean' as const) : ('string' as const),
            multiple: isMultiple,
            ...(name === 'help' && { short: 'h' }),
          },
        ]),
      ),
    });
  } catch (error) {
    const [sentence = ''] = (error as Error).message.split(/[.\n]/);
    throw makeUsageError(`${sentence}.`);
  }
}

/** Writes `--from -7d` as `--from=-7d`. Otherwise `parseArgs` takes the time for an option. */
function joinTimes(words: string[], options: Record<string, CommandOption>): string[] {
  const joined: string[] = [];
  for (const word of words) {
    const before = joined.at(-1) ?? '';
    const isOption = before.startsWith('--') && options[before.slice(2)]?.value !== undefined;
    if (isOption && beforeNow.test(word)) joined[joined.length - 1] = `${before}=${word}`;
    else joined.push(word);
  }
  return joined;
}
