import type { Command, CommandTools } from '../../command.ts';
import { comeBackText } from '../../connection/event-stream.ts';
import type { GatewayClient } from '../../connection/gateway-client.ts';
import type { JobDocument } from '../../documents.ts';
import { printOutcome } from '../../output/job-outcome.ts';
import { jobPath } from '../job-path.ts';
import {
  exitCodeOfJob,
  longPatience,
  timeoutOption,
  untilInterrupted,
  waitForJob,
} from '../waiting.ts';

export const watchCommand: Command = {
  usage: '<job id>',
  description: 'Waits until a job has ended, and shows its progress.',
  operands: { min: 1, max: 1 },
  options: {
    ...timeoutOption,
    json: { description: 'Print the events of the job, one JSON object a line.' },
  },
  examples: [
    'log-export watch 5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10 --timeout 2h',
    'log-export watch 5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10 --json',
  ],
  async run(given, tools) {
    const [jobId = ''] = given.operands;
    const patience = longPatience(given, tools.surroundings.now());
    const client = tools.openClient(patience);
    return untilInterrupted(tools, comeBackText(jobId, tools.screen.commandName), async () => {
      if (given.isGiven('json')) return printEvents(jobId, client, tools);
      const { deadline } = patience;
      const { document } = await waitForJob(jobId, client, tools, { deadline, isJson: false });
      printOutcome(tools.screen, document);
      return exitCodeOfJob(document);
    });
  },
};

/** Prints each event as a line, with its data as the gateway has sent it. */
async function printEvents(
  jobId: string,
  client: GatewayClient,
  { screen }: CommandTools,
): Promise<number> {
  const print = (id: string, event: string, data: string) => {
    const line = `{"id":${JSON.stringify(id)},"event":${JSON.stringify(event)},"data":${data}}\n`;
    screen.printDocument(new TextEncoder().encode(line));
  };
  let last = { id: '', event: '' };
  for await (const { id, event, data } of client.follow(jobId)) {
    print(id, event, data);
    last = { id, event };
  }
  const path = jobPath(jobId);
  const job = (await client.send({ method: 'GET', path }, 'sliceCounts')).document as JobDocument;
  // The connection broke after the last change: the gateway does not repeat that the job has ended.
  if (last.event !== 'job-ended') {
    print(last.id, 'job-ended', JSON.stringify({ jobId, at: job.endedAt, state: job.state }));
  }
  return exitCodeOfJob(job);
}
