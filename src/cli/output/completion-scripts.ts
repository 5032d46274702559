import type { CommandOption } from '../command.ts';

/** A command, as completion offers it. */
interface CompletedCommand {
  name: string;
  summary: string;
  options: [name: string, option: CommandOption][];
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const flagsOf = ({ options }: CompletedCommand) => options.map(([name]) => `--${name}`).join(' ');
const withChoices = ({ options }: CompletedCommand) =>
  options.flatMap(([name, { choices }]) => (choices ? [{ flag: `--${name}`, choices }] : []));

/** Writes the script of a shell. */
export const completionScripts: Record<string, (commands: CompletedCommand[]) => string> = {
  bash: (commands) => `_log_export() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words=${quote(['help', ...commands.map(({ name }) => name)].join(' '))}
  else
    case "\${COMP_WORDS[1]} $before" in
${commands
  .flatMap((command) =>
    withChoices(command).map(
      ({ flag, choices }) =>
        `      ${quote(`${command.name} ${flag}`)}) words=${quote(choices.join(' '))} ;;\n`,
    ),
  )
  .join('')}      'help '*) words=${quote(commands.map(({ name }) => name).join(' '))} ;;
      'completion completion') words='bash zsh fish' ;;
      *) case "\${COMP_WORDS[1]}" in
${commands
  .map((command) => `        ${command.name}) words=${quote(flagsOf(command))} ;;\n`)
  .join('')}      esac ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _log_export log-export
`,
  zsh: (commands) => `#compdef log-export
_log_export() {
  local -a commands
  commands=(
    'help:explain a command'
${commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}\n`).join('')}  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  case "$words[2]" in
    help) _describe 'command' commands ;;
    completion) compadd bash zsh fish ;;
${commands
  .filter(({ name }) => name !== 'completion')
  .map(
    ({ name, options }) =>
      `    ${name}) _arguments '*:argument:_files'${options.map(zshOption).join('')} ;;\n`,
  )
  .join('')}  esac
}
compdef _log_export log-export
`,
  fish: (commands) =>
    [
      'complete -c log-export -n __fish_use_subcommand -f -a help',
      ...commands.flatMap(({ name, summary, options }) => [
        `complete -c log-export -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
        ...options.map(
          ([option, { value, description, choices }]) =>
            `complete -c log-export -n '__fish_seen_subcommand_from ${name}' -l ${option}${value === undefined ? '' : ' -x'}${choices ? ` -a ${quote(choices.join(' '))}` : ''} -d ${quote(description)}`,
        ),
      ]),
      "complete -c log-export -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'",
      '',
    ].join('\n'),
};

/** An option for `_arguments`: `--name[description]:VALUE:(choices)`. */
function zshOption([name, { value, description, choices, isMultiple }]: [string, CommandOption]) {
  const text = description.replaceAll(/[\\[\]:]/g, (special) => `\\${special}`);
  const values = choices ? `(${choices.join(' ')})` : '';
  const suffix = value === undefined ? '' : `:${value}:${values}`;
  return ` ${quote(`${isMultiple ? '*' : ''}--${name}[${text}]${suffix}`)}`;
}
