import { commonOptions } from '../../arguments/read-words.ts';
import type { Command, CommandOption } from '../../command.ts';
import { exitCodes, makeUsageError } from '../../exit-codes.ts';
import { completionScripts } from '../../output/completion-scripts.ts';

export const completionCommand: Command = {
  usage: 'bash|zsh|fish',
  description:
    'Prints a completion script. log-export must be on the PATH: docs/cli.md says how. bash: eval "$(log-export completion bash)" in ~/.bashrc. zsh: the same in ~/.zshrc, after compinit. fish: log-export completion fish > ~/.config/fish/completions/log-export.fish',
  operands: { min: 1, max: 1 },
  options: {},
  examples: ['log-export completion bash'],
  async run({ operands: [shell = ''] }, { surroundings, commands }) {
    const write = Object.hasOwn(completionScripts, shell) ? completionScripts[shell] : undefined;
    if (!write) throw makeUsageError(`There is no completion for "${shell}".`);
    const described = await Promise.all(
      Object.entries(commands).map(async ([name, { summary, load }]) => {
        const { options } = await load();
        const all: Record<string, CommandOption> = { ...options, ...commonOptions };
        return { name, summary, options: Object.entries(all) };
      }),
    );
    surroundings.stdout.write(write(described));
    return exitCodes.completed;
  },
};
