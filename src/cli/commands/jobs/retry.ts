import type { Command } from '../../command.ts';
import type { JobDocument } from '../../documents.ts';
import { exitCodes } from '../../exit-codes.ts';
import { cleanText } from '../../output/clean-text.ts';
import { jobPath } from '../job-path.ts';
import { jsonOption, shortPatience } from '../waiting.ts';

export const retryCommand: Command = {
  usage: '<job id>',
  description: 'Puts the failed slices of a job back into the queue.',
  operands: { min: 1, max: 1 },
  options: jsonOption,
  examples: ['log-export retry 5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10'],
  async run({ operands: [jobId = ''], isGiven }, { surroundings, screen, openClient }) {
    const client = openClient(shortPatience(surroundings.now()));

    const { bytes, document } = await client.send(
      { method: 'POST', path: `${jobPath(jobId)}/retry` },
      'exportJob',
    );

    const { retriedSlices, exportJob } = document as {
      retriedSlices: number;
      exportJob: JobDocument;
    };
    if (isGiven('json')) {
      screen.printDocument(bytes);
    } else {
      const slices = screen.count(retriedSlices, 'slice');
      screen.print(cleanText(`Job ${exportJob.id} ${exportJob.state}: ${slices} again`));
      screen.noteLines([`Follow it with: ${screen.commandName} watch ${exportJob.id}`]);
    }
    return exitCodes.completed;
  },
};
