import type { Command } from '../../command.ts';
import type { ArchiveDocument } from '../../documents.ts';
import { styleOfState } from '../../output/job-texts.ts';
import { listOptions, runList } from '../run-list.ts';

export const archivesCommand: Command = {
  usage: '',
  description: 'Lists your archives, newest first.',
  operands: { min: 0, max: 0 },
  options: {
    state: {
      value: 'STATE',
      description: 'Only archives in this state.',
      choices: ['ended', 'paused', 'atRisk', 'incomplete', 'behind', 'current'],
    },
    target: { value: 'NAME', description: 'Only archives of this target.' },
    name: { value: 'TEXT', description: 'Only archives with exactly this name.' },
    ...listOptions,
  },
  examples: ['log-export archives --state atRisk'],
  run: (given, tools) =>
    runList<ArchiveDocument>(given, tools, {
      path: '/archives',
      member: 'archives',
      parameters: {
        state: given.text('state'),
        target: given.text('target'),
        name: given.text('name'),
      },
      columns: () => [
        { title: 'ID', text: ({ id }) => id },
        { title: 'STATE', text: ({ state }) => state, style: ({ state }) => styleOfState(state) },
        {
          title: 'COVERED UNTIL',
          text: ({ progress }) =>
            progress?.watermark === undefined ? '' : tools.screen.time(progress.watermark),
        },
        { title: 'NAME', text: ({ name }) => name, isFlexible: true },
        { title: 'BY', text: ({ partitionBy }) => partitionBy, isOptional: true },
        { title: 'DESTINATION', text: ({ destination }) => destination, isOptional: true },
        { title: 'CALLER', text: ({ caller }) => caller, isOptional: true },
      ],
    }),
};
