import type { Command } from '../../command.ts';
import type { JobDocument } from '../../documents.ts';
import { exitCodes } from '../../exit-codes.ts';
import { printFailures } from '../../output/job-outcome.ts';
import { factsOf } from '../../output/job-texts.ts';
import { printFacts } from '../../output/table.ts';
import { jobPath } from '../job-path.ts';
import { readHindrance } from '../read-hindrance.ts';
import { jsonOption, shortPatience } from '../waiting.ts';

export const showCommand: Command = {
  usage: '<job id>',
  description:
    'Shows a job: its progress, its place in the queue, what keeps it from running, its failures.',
  operands: { min: 1, max: 1 },
  options: jsonOption,
  examples: ['log-export show 5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10'],
  async run({ operands: [jobId = ''], isGiven }, { surroundings, screen, openClient }) {
    const now = surroundings.now();
    const client = openClient(shortPatience(now));

    const { bytes, document } = await client.send(
      { method: 'GET', path: jobPath(jobId) },
      'sliceCounts',
    );

    const job = document as JobDocument;
    if (isGiven('json')) {
      screen.printDocument(bytes);
    } else {
      const hindrance = await readHindrance(job, client);
      printFacts(screen, factsOf(job, now, screen));
      printFailures(screen, job, hindrance);
    }
    return exitCodes.completed;
  },
};
