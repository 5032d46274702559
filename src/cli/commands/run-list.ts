import type { CommandOptions, CommandTools, GivenWords } from '../command.ts';
import { withQuery } from '../connection/query.ts';
import { exitCodes } from '../exit-codes.ts';
import { printTable, type TableColumn } from '../output/table.ts';
import { jsonOption, shortPatience } from './waiting.ts';

const pageOptions = {
  limit: { value: 'NUMBER', description: 'How many, from 1 to 100. Default: 20.' },
  cursor: { value: 'CURSOR', description: 'Where the page begins: a command prints the next one.' },
} satisfies CommandOptions;

/** The options of lists without callers. */
export const plainListOptions = { ...pageOptions, ...jsonOption } satisfies CommandOptions;

/** The options of lists. */
export const listOptions = {
  caller: { value: 'ID', description: 'The caller, or * for all callers. Default: you.' },
  ...plainListOptions,
} satisfies CommandOptions;

/** Lists one page of documents. Returns the exit code. */
export async function runList<Row>(
  given: GivenWords,
  { surroundings, screen, openClient }: CommandTools,
  list: {
    path: string;
    /** The member of the answer with the documents. */
    member: string;
    parameters: Record<string, string | undefined>;
    columns(now: number): TableColumn<Row>[];
  },
): Promise<number> {
  const now = surroundings.now();
  const client = openClient(shortPatience(now));
  const pages = {
    caller: given.text('caller'),
    limit: given.text('limit'),
    cursor: given.text('cursor'),
  };

  const { bytes, document } = await client.send(
    { method: 'GET', path: withQuery(list.path, { ...list.parameters, ...pages }) },
    list.member,
  );

  const { nextCursor, [list.member]: rows } = document as Record<string, unknown>;
  if (given.isGiven('json')) {
    screen.printDocument(bytes);
    return exitCodes.completed;
  }
  const found = rows as Row[];
  if (found.length === 0)
    screen.note(nextCursor === undefined ? 'Nothing found.' : 'Nothing found on this page.');
  else printTable(screen, found, list.columns(now));
  if (typeof nextCursor === 'string')
    screen.note(`More: repeat the command with --cursor ${nextCursor}`);
  return exitCodes.completed;
}
