import type { Command, CommandTools } from '../../command.ts';
import type { ProblemExplanationDocument } from '../../documents.ts';
import { exitCodes } from '../../exit-codes.ts';
import { cleanText, wrap } from '../../output/clean-text.ts';
import { remedyText } from '../../output/problem-lines.ts';
import { runList } from '../run-list.ts';
import { jsonOption, shortPatience } from '../waiting.ts';

export const problemsCommand: Command = {
  usage: '[name]',
  description: 'Explains a problem, or lists all of them.',
  operands: { min: 0, max: 1 },
  options: jsonOption,
  examples: ['log-export problems destination-not-writable', 'log-export problems'],
  run(given, tools) {
    const [slug] = given.operands;
    if (slug !== undefined) return explain(slug, given.isGiven('json'), tools);
    return runList<ProblemExplanationDocument>(given, tools, {
      path: '/problems',
      member: 'problems',
      parameters: {},
      columns: () => [
        { title: 'STATUS', text: ({ status }) => String(status) },
        { title: 'NAME', text: ({ slug }) => slug },
        { title: 'TITLE', text: ({ title }) => title, isFlexible: true },
      ],
    });
  },
};

async function explain(
  slug: string,
  isJson: boolean,
  { surroundings, screen, openClient }: CommandTools,
): Promise<number> {
  const client = openClient(shortPatience(surroundings.now()));

  const { bytes, document } = await client.send(
    { method: 'GET', path: `/problems/${encodeURIComponent(slug)}` },
    'explanation',
  );

  if (isJson) {
    screen.printDocument(bytes);
    return exitCodes.completed;
  }
  const { title, status, explanation, remedy, isRetryable } =
    document as ProblemExplanationDocument;
  const width = screen.isTerminal ? screen.columns() : Infinity;
  const lines = (text: string) => wrap(cleanText(text), width);
  screen.print(
    screen.style('bold', cleanText(`${title} (${status})`)),
    '',
    ...lines(explanation),
    '',
    ...lines(`Remedy: ${remedyText(remedy, screen.commandName)}`),
    `Retryable: ${isRetryable ? 'yes' : 'no'}`,
  );
  return exitCodes.completed;
}
