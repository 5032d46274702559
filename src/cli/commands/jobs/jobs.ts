import type { Command } from '../../command.ts';
import type { JobDocument } from '../../documents.ts';
import { ageOf, countSlices, styleOfState } from '../../output/job-texts.ts';
import { listOptions, runList } from '../run-list.ts';

export const jobsCommand: Command = {
  usage: '',
  description: 'Lists your jobs, newest first.',
  operands: { min: 0, max: 0 },
  options: {
    state: {
      value: 'STATE',
      description: 'Only jobs in this state.',
      choices: ['waiting', 'running', 'cancelling', 'completed', 'failed', 'cancelled'],
    },
    target: { value: 'NAME', description: 'Only jobs of this target.' },
    name: { value: 'TEXT', description: 'Only jobs with exactly this name.' },
    archive: { value: 'ID', description: 'The jobs of this archive.' },
    ...listOptions,
  },
  examples: ['log-export jobs', 'log-export jobs --state failed --limit 50'],
  run: (given, tools) =>
    runList<JobDocument>(given, tools, {
      path: '/export-jobs',
      member: 'exportJobs',
      parameters: {
        state: given.text('state'),
        target: given.text('target'),
        name: given.text('name'),
        archiveId: given.text('archive'),
      },
      columns: (now) => [
        { title: 'ID', text: ({ id }) => id },
        { title: 'STATE', text: ({ state }) => state, style: ({ state }) => styleOfState(state) },
        {
          title: 'SLICES',
          text: (job) => `${countSlices(job).done}/${countSlices(job).total}`,
          isOptional: true,
        },
        {
          title: 'AGE',
          text: ({ acceptedAt }) => ageOf(acceptedAt, now),
          plain: ({ acceptedAt }) => acceptedAt,
          isOptional: true,
        },
        { title: 'NAME', text: ({ name = '' }) => name, isFlexible: true, isOptional: true },
        { title: 'TARGET', text: ({ target }) => target, isOptional: true },
        { title: 'CALLER', text: ({ caller }) => caller, isOptional: true },
        {
          title: 'SENT BY',
          text: ({ taskParameters }) => (taskParameters === undefined ? '' : 'AWS client'),
          isOptional: true,
        },
      ],
    }),
};
