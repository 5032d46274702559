import { type AwsProcess, startAws } from '../../aws.ts';
import { type GatewayProcess, startGateway } from '../../gateway.ts';
import { createBody, logGroupNames, region } from '../../requests.ts';
import type { Scale, World } from '../../scale.ts';
import { waitUntil } from '../../wait-until.ts';
import { createJob, postJob } from './create-job.ts';

/** What verifications cost: the time between two tasks, and the memory for a large export. */
export async function measureVerification(_world: World, scale: Scale): Promise<string[]> {
  // They wait most of the time, so they do not disturb each other.
  const [off, on] = await Promise.all([
    handOffOf({ verification: 'off', seconds: scale.queueSeconds }),
    handOffOf({ verification: 'objects', seconds: scale.queueSeconds }),
  ]);
  return [
    `hand-off, verified   mean ${on.toFixed(2)} s, not verified ${off.toFixed(2)} s, ${(on - off).toFixed(2)} s more (goal ≤ 0.1)`,
    await measureMemory(scale.streams),
  ];
}

const hourMs = 3_600_000;
const [logGroupName = ''] = logGroupNames;

/** The mean time from the end of a task to the next create. Each slice has ten log streams. */
async function handOffOf({
  verification,
  seconds,
}: {
  verification: string;
  seconds: number;
}): Promise<number> {
  await using aws = await startAws({ pendingMs: 500, runningMs: 1_500, journalLimit: 10_000 });
  const slices = Math.ceil(seconds / 2);
  for (let stream = 0; stream < 10; stream += 1) {
    const events = Array.from({ length: slices }, (_, hour) => createBody.from + hour * hourMs);
    await seedStream(aws, `stream-${stream}`, events);
  }
  await using gateway = await startGateway(aws.url, {
    env: { VERIFICATION: verification, AWS_CALLS_PER_SECOND: '4' },
  });
  await createJob(gateway.url, { logGroups: 1, hours: slices });
  const { tasks } = await aws.readUntil(
    `the end of ${slices} tasks`,
    (read) => read.tasks.filter(({ finishedAt }) => finishedAt !== undefined).length === slices,
    { pauseMs: 100 },
  );
  const gaps = tasks
    .slice(1)
    .map(({ createdAt }, index) => createdAt - (tasks[index]?.finishedAt ?? Number.NaN));
  return gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length / 1_000;
}

/** The resident memory that one verified export of many log streams adds at most. */
async function measureMemory(streams: number): Promise<string> {
  await using aws = await startAws({ pendingMs: 0, runningMs: 0 });
  for (let stream = 0; stream < streams; stream += 1) {
    // The second hour has one stream: what a first verification loads is not counted.
    const events = [createBody.from, ...(stream === 0 ? [createBody.from + hourMs] : [])];
    await seedStream(aws, `stream-${stream}`, events);
  }
  await using gateway = await startGateway(aws.url);
  await exportHour(gateway, 1);
  const before = gateway.residentMib();
  const beganAt = performance.now();
  const most = await exportHour(gateway, 0);
  const seconds = (performance.now() - beganAt) / 1_000;
  const name = `verify, ${streams} streams`.padEnd(24);
  return `${name}${(most - before).toFixed(0)} MiB more resident at most (goal ≤ 64), in ${seconds.toFixed(1)} s`;
}

/** Exports an hour until it is verified. Returns the most resident memory meanwhile, in MiB. */
async function exportHour(gateway: GatewayProcess, hour: number): Promise<number> {
  const from = createBody.from + hour * hourMs;
  const { destination } = createBody;
  const body = { logGroupNames: [logGroupName], from, to: from + hourMs, destination };
  const location = await postJob(`${gateway.url}/export-jobs`, body);
  let most = 0;
  await waitUntil({
    what: 'a verified export',
    async read() {
      most = Math.max(most, gateway.residentMib());
      const answer = await fetch(`${gateway.url}${location}`);
      return ((await answer.json()) as { state: string }).state;
    },
    isDone: (state) => state === 'completed',
    describe: (state) => state,
    pauseMs: () => 50,
  });
  return most;
}

async function seedStream(
  { url }: AwsProcess,
  logStreamName: string,
  timestamps: readonly number[],
): Promise<void> {
  const events = timestamps.map((timestamp) => ({ timestamp, message: 'an event of the bench' }));
  const body = JSON.stringify({ region, logGroupName, logStreamName, events });
  const { status } = await fetch(`${url}/_emulator/seed/log-events`, { method: 'POST', body });
  if (status >= 300) throw new Error(`The emulator answered ${status}.`);
}
