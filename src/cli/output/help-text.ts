import { commonOptions } from '../arguments/read-words.ts';
import type { Command } from '../command.ts';
import { commandTable } from '../command-table.ts';
import { wrap } from './clean-text.ts';

const width = 80; // of every terminal

/** The overview of all commands. */
export function overviewText(commandName: string): string {
  const names = Object.keys(commandTable);
  const longest = Math.max(...names.map((name) => name.length));
  return [
    `Usage: ${commandName} <command> [arguments]`,
    '',
    'Exports CloudWatch Logs to S3 through a log-export-gateway.',
    '',
    ...Object.entries(commandTable).map(
      ([name, { summary }]) => `  ${name.padEnd(longest)}  ${summary}`,
    ),
    '',
    `${commandName} help <command> explains a command. ${commandName} --version prints the version.`,
    '',
    'Environment:',
    '  LOG_EXPORT_URL           the gateway. Default: http://127.0.0.1:8080',
    '  LOG_EXPORT_TOKEN_FILE    a file with an OIDC token',
    '  LOG_EXPORT_API_KEY_FILE  a file with an API key',
    '  LOG_EXPORT_PLAIN_HTTP    allowed: send a credential over plain HTTP',
    '  NO_COLOR                 no colours',
    '  NODE_EXTRA_CA_CERTS      a file with the certificate of a private CA',
    '',
    'Exit codes:',
    '  0 completed, 1 failed, 2 usage, 3 not permitted, 4 waiting ran out, 5 gateway away',
    '',
  ].join('\n');
}

/** The help of a command. */
export function helpText(
  name: string,
  { usage, description, options, examples }: Command,
  commandName: string,
): string {
  const all = Object.entries({ ...options, ...commonOptions }).map(([option, given]) => ({
    head: `--${option}${given.value === undefined ? '' : ` ${given.value}`}`,
    ...given,
  }));
  const longest = Math.max(...all.map(({ head }) => head.length));
  const indent = ' '.repeat(longest + 4);
  return [
    ...wrap(`Usage: ${commandName} ${name} ${usage}`.trimEnd(), width),
    '',
    ...wrap(description, width),
    '',
    ...all.flatMap(({ head, description, choices = [] }) => {
      const text =
        choices.length > 0 ? `${description} One of: ${choices.join(', ')}.` : description;
      const lines = wrap(text, width - indent.length);
      return lines.map(
        (line, index) => (index === 0 ? `  ${head.padEnd(longest)}  ` : indent) + line,
      );
    }),
    '',
    examples.length === 1 ? 'Example:' : 'Examples:',
    ...examples.map((example) => `  ${example.replace(/^log-export/, commandName)}`),
    '',
  ].join('\n');
}
