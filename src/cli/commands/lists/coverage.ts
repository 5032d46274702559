import { readTimeRange, targetOption, timeRangeOptions } from '../../arguments/export-request.ts';
import type { Command } from '../../command.ts';
import { withQuery } from '../../connection/query.ts';
import type { CoverageDocument } from '../../documents.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Screen } from '../../output/screen.ts';
import { printTable } from '../../output/table.ts';
import { plainListOptions } from '../run-list.ts';
import { shortPatience } from '../waiting.ts';

export const coverageCommand: Command = {
  usage: '<log group> --from TIME --to TIME',
  description:
    'Finds the verified exports of a time range. The exit code is 1 if they do not cover it.',
  operands: { min: 1, max: 1 },
  options: { ...timeRangeOptions, ...targetOption, ...plainListOptions },
  examples: ['log-export coverage /demo/checkout --from -8d --to -1d'],
  async run(given, { surroundings, screen, openClient }) {
    const now = surroundings.now();
    const { from, to } = readTimeRange(given, now);
    const client = openClient(shortPatience(now));
    screen.note(`Time range: ${from} to ${to} (UTC)`);

    const { bytes, document } = await client.send(
      {
        method: 'GET',
        path: withQuery('/coverage', {
          target: given.text('target'),
          logGroupName: given.operands[0],
          from,
          to,
          limit: given.text('limit'),
          cursor: given.text('cursor'),
        }),
      },
      'isCovered',
    );

    const coverage = document as CoverageDocument;
    if (given.isGiven('json')) {
      screen.printDocument(bytes);
    } else {
      printTable(screen, coverage.exports, [
        { title: 'FROM', text: (each) => screen.time(each.from) },
        { title: 'TO', text: (each) => screen.time(each.to) },
        {
          title: 'OBJECTS',
          text: ({ isEmpty, destination, prefix }) =>
            isEmpty ? 'none: no log events' : `s3://${destination}/${prefix}`,
          isFlexible: true,
        },
        { title: 'VERIFIED BY', text: ({ method }) => method, isOptional: true },
      ]);
      screen.note(coverage.isCovered ? 'Everything is covered.' : describeGaps(screen, coverage));
      const { nextCursor } = coverage;
      if (nextCursor !== undefined)
        screen.note(`More: repeat the command with --cursor ${nextCursor}`);
    }
    return coverage.isCovered ? exitCodes.completed : exitCodes.failed;
  },
};

function describeGaps(screen: Screen, { covered }: CoverageDocument): string {
  if (covered.length === 0) return 'Nothing is covered.';
  const ranges = covered.map(({ from, to }) => `${screen.time(from)} to ${screen.time(to)}`);
  return `Only a part is covered: ${ranges.join(', ')}.`;
}
