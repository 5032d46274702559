import { readWords } from './arguments/read-words.ts';
import { commandTable, findCommand } from './command-table.ts';
import { makeClientOpener } from './connection/gateway-client.ts';
import { isRefusedRequest } from './connection/refused-request.ts';
import { exitCodes, isCommandError, makeUsageError } from './exit-codes.ts';
import { helpText, overviewText } from './output/help-text.ts';
import { problemLines } from './output/problem-lines.ts';
import { makeScreen } from './output/screen.ts';
import type { Surroundings } from './surroundings.ts';

/** Runs the command line. Returns the exit code. */
export async function runCommandLine(words: string[], surroundings: Surroundings): Promise<number> {
  const { commandName } = surroundings;
  const screen = makeScreen(surroundings);
  try {
    return await run(words);
  } catch (error) {
    screen.endProgress();
    if (isRefusedRequest(error)) {
      screen.noteLines(problemLines(error, commandName));
      return error.exitCode;
    }
    if (isCommandError(error)) {
      screen.noteLines(`log-export: ${error.message}`.split('\n'));
      return error.exitCode;
    }
    if (surroundings.interrupted.aborted) return exitCodes.interrupted;
    throw error;
  }

  async function run([name, ...rest]: string[]): Promise<number> {
    const { stdout, stderr, version } = surroundings;
    if (name === undefined) {
      stderr.write(overviewText(commandName));
      return exitCodes.usage;
    }
    if (name === '--version') {
      stdout.write(`${version}\n`);
      return exitCodes.completed;
    }
    const isHelp = ['help', '--help', '-h'].includes(name);
    const [asked] = isHelp ? rest : [name];
    if (asked === undefined) {
      stdout.write(overviewText(commandName));
      return exitCodes.completed;
    }
    const entry = findCommand(asked);
    if (!entry) throw makeUsageError(`There is no command "${asked}". Try: ${commandName} help`);
    const command = await entry.load();
    const tryHelp = `Try: ${commandName} help ${asked}`;
    const given = isHelp
      ? undefined
      : await withHelp(tryHelp, async () => readWords(rest, command));
    if (!given || given.isGiven('help')) {
      stdout.write(helpText(asked, command, commandName));
      return exitCodes.completed;
    }
    const openClient = makeClientOpener(surroundings, screen);
    return withHelp(tryHelp, () =>
      command.run(given, { surroundings, screen, openClient, commands: commandTable }),
    );
  }
}

/** Adds to an error of the command line where the help is. The gateway explains its own. */
async function withHelp<Result>(tryHelp: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    const isUsage = isCommandError(error) && error.exitCode === exitCodes.usage;
    if (!isUsage || isRefusedRequest(error)) throw error;
    throw makeUsageError(`${error.message} ${tryHelp}`);
  }
}
