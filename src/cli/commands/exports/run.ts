import {
  deriveIdempotencyKey,
  exportOptions,
  jobOptions,
  readJobRequest,
} from '../../arguments/export-request.ts';
import type { Command } from '../../command.ts';
import type { GatewayAnswer } from '../../connection/answer.ts';
import { comeBackText } from '../../connection/event-stream.ts';
import { withQuery } from '../../connection/query.ts';
import type { JobDocument } from '../../documents.ts';
import { exitCodes, makeUsageError } from '../../exit-codes.ts';
import { cleanText } from '../../output/clean-text.ts';
import { printOutcome } from '../../output/job-outcome.ts';
import { countSlices } from '../../output/job-texts.ts';
import {
  exitCodeOfJob,
  jsonOption,
  longPatience,
  shortPatience,
  timeoutOption,
  untilInterrupted,
  waitForJob,
} from '../waiting.ts';

// Clocks of HTTP have whole seconds. Lower: a new job looks like an older one. Higher: a command that is repeated
// at once does not say that the job is the same.
const slackMs = 2_000;

export const runCommand: Command = {
  usage: '<log group>... --from TIME --to TIME --destination BUCKET',
  description: 'Creates an export job. It goes on at the gateway when this command has ended.',
  operands: { min: 0, max: 1_000 },
  options: {
    ...exportOptions,
    ...jobOptions,
    'idempotency-key': {
      value: 'KEY',
      description: 'The same key returns the same job. Default: derived from the arguments.',
    },
    wait: { description: 'Wait until the job has ended, and show its progress.' },
    ...timeoutOption,
    ...jsonOption,
  },
  examples: [
    'log-export run /demo/checkout --from -2d --to -1d --destination demo-log-archive',
    'log-export run --log-group-prefix /demo/ --from -8d --to -1d --slice-by day --destination demo-log-archive --wait',
  ],
  async run(given, tools) {
    const { surroundings, screen } = tools;
    const startedAt = surroundings.now();
    const request = readJobRequest(given, startedAt);
    const isWaiting = given.isGiven('wait');
    const isJson = given.isGiven('json');
    if (given.isGiven('timeout') && !isWaiting) throw makeUsageError('--timeout needs --wait.');
    const key = given.text('idempotency-key') ?? deriveIdempotencyKey(request);
    const patience = isWaiting ? longPatience(given, startedAt) : shortPatience(startedAt);
    const client = tools.openClient(patience);
    screen.note(`Time range: ${request.timeRange} (UTC)`);
    screen.note(`Idempotency key: ${key}`);

    const accepted = await untilInterrupted(
      tools,
      'It is not known whether the job was accepted. The same idempotency key returns it.',
      () =>
        client.send(
          {
            method: 'POST',
            path: withQuery('/export-jobs', { target: request.target }),
            headers: { 'idempotency-key': key },
            body: request.body,
          },
          'sliceCounts',
        ),
    );
    const job = accepted.document as JobDocument;
    if (isEarlier(accepted, job, surroundings.now() - startedAt)) {
      screen.note(
        `The job exists since ${job.acceptedAt}: an earlier command had the same key. To export again, give another --idempotency-key.`,
      );
    }
    if (!isJson) {
      const slices = screen.count(countSlices(job).total, 'slice');
      screen.print(cleanText(`Job ${job.id}: ${slices}, ${job.state}`));
    }
    // With --json, only the document has the id, and it can be lost.
    if (isJson || !isWaiting)
      screen.noteLines([`Follow it with: ${screen.commandName} watch ${job.id}`]);
    if (!isWaiting) {
      if (isJson) screen.printDocument(accepted.bytes);
      return exitCodes.completed;
    }

    const { deadline } = patience;
    const ended = await untilInterrupted(tools, comeBackText(job.id, screen.commandName), () =>
      waitForJob(job.id, client, tools, { deadline, isJson }),
    );
    if (isJson) screen.printDocument(ended.bytes);
    else printOutcome(screen, ended.document);
    return exitCodeOfJob(ended.document);
  },
};

/** Whether a job is older than the command, by the clock of the gateway. */
function isEarlier({ date }: GatewayAnswer, { acceptedAt }: JobDocument, elapsedMs: number) {
  return date !== undefined && Date.parse(acceptedAt) < date - elapsedMs - slackMs;
}
