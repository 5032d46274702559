import type { Command, CommandTools } from '../../command.ts';
import type { TargetDocument } from '../../documents.ts';
import { exitCodes } from '../../exit-codes.ts';
import { styleOfState } from '../../output/job-texts.ts';
import { remedyText } from '../../output/problem-lines.ts';
import type { Screen } from '../../output/screen.ts';
import { printFacts } from '../../output/table.ts';
import { plainListOptions, runList } from '../run-list.ts';
import { shortPatience } from '../waiting.ts';

export const targetsCommand: Command = {
  usage: '[target]',
  description: 'Lists the targets, or shows the slot and the queue of one.',
  operands: { min: 0, max: 1 },
  options: {
    state: {
      value: 'STATE',
      description: 'Only targets in this state.',
      choices: ['unchecked', 'ready', 'unusable'],
    },
    region: { value: 'REGION', description: 'Only targets in this AWS Region.' },
    account: { value: 'ID', description: 'Only targets of this AWS account.' },
    ...plainListOptions,
  },
  examples: ['log-export targets', 'log-export targets default'],
  run(given, tools) {
    const [name] = given.operands;
    if (name !== undefined) return showOne(name, given.isGiven('json'), tools);
    return runList<TargetDocument>(given, tools, {
      path: '/targets',
      member: 'targets',
      parameters: {
        state: given.text('state'),
        region: given.text('region'),
        accountId: given.text('account'),
      },
      columns: () => [
        { title: 'NAME', text: ({ name }) => name, isFlexible: true },
        { title: 'STATE', text: ({ state }) => state, style: ({ state }) => styleOfState(state) },
        { title: 'REGION', text: ({ region }) => region },
        { title: 'ACCOUNT', text: ({ accountId = '' }) => accountId },
        { title: 'DEFAULT', text: ({ isDefault }) => (isDefault ? 'default' : '') },
        {
          title: 'PROBLEM',
          text: ({ problem }) => problem?.title ?? '',
          isFlexible: true,
          isOptional: true,
        },
      ],
    });
  },
};

async function showOne(
  name: string,
  isJson: boolean,
  { surroundings, screen, openClient }: CommandTools,
): Promise<number> {
  const client = openClient(shortPatience(surroundings.now()));

  const { bytes, document } = await client.send(
    { method: 'GET', path: `/targets/${encodeURIComponent(name)}` },
    'region',
  );

  const { problem, slot, queue, busyShareLastHour, ...target } = document as TargetDocument;
  if (isJson) {
    screen.printDocument(bytes);
    return exitCodes.completed;
  }
  printFacts(screen, [
    ['Target', target.name],
    ['State', `${target.state} since ${screen.time(target.since)}`],
    ['Region', target.region],
    ['Account', target.accountId],
    ['Problem', problem && `${problem.title}: ${problem.detail}`],
    ['Remedy', problem && remedyText(problem.remedy, screen.commandName)],
    ['Slot', slot?.state],
    ['Slot since', slot?.since && screen.time(slot.since)],
    ['Job', slot?.jobId],
    ['Task', slot?.taskId],
    ['Log group', slot?.logGroupName],
    ['Queue', queue && `${queue.waiting} waiting, ${queue.ready} ready`],
    ['Busy', busyShareLastHour === undefined ? undefined : busyText(busyShareLastHour, screen)],
  ]);
  return exitCodes.completed;
}

const busyText = (share: number, { isTerminal }: Screen) =>
  isTerminal ? `${Math.round(share * 100)} % of the last hour` : String(share);
