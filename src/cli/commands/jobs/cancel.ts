import type { Command } from '../../command.ts';
import type { JobDocument } from '../../documents.ts';
import { exitCodes } from '../../exit-codes.ts';
import { cleanText } from '../../output/clean-text.ts';
import { jobPath } from '../job-path.ts';
import { jsonOption, shortPatience } from '../waiting.ts';

export const cancelCommand: Command = {
  usage: '<job id>',
  description: 'Cancels the slices of a job that have not ended.',
  operands: { min: 1, max: 1 },
  options: jsonOption,
  examples: ['log-export cancel 5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10'],
  async run({ operands: [jobId = ''], isGiven }, { surroundings, screen, openClient }) {
    const client = openClient(shortPatience(surroundings.now()));

    const { bytes, document } = await client.send(
      { method: 'POST', path: `${jobPath(jobId)}/cancel` },
      'sliceCounts',
    );

    const { id, state } = document as JobDocument;
    if (isGiven('json')) screen.printDocument(bytes);
    else screen.print(cleanText(`Job ${id} ${state}`));
    return exitCodes.completed;
  },
};
