import { type Emulator, examplesAt } from 'cloudwatch-logs-export-emulator/source';

const { region, logGroupName, bucket } = examplesAt;
const usBucket = 'demo-log-archive-us';

/** Creates jobs for the pages: one that completes, one with a failed slice, one behind a foreign task. */
export async function createExampleJobs(gatewayUrl: string, seed: Emulator['seed']): Promise<void> {
  seed.logGroup({ region, logGroupName: '/demo/payments' });
  seed.logGroup({ region: 'us-east-1', logGroupName });
  seed.bucket({ region: 'us-east-1', bucket: usBucket });
  const midnight = Math.floor(Date.now() / 86_400_000) * 86_400_000;
  const week = { from: midnight - 8 * 86_400_000, to: midnight - 86_400_000 };
  const logGroupNames = [logGroupName, '/demo/payments'];
  await createJob(gatewayUrl, 'default', {
    name: 'the last week by day',
    ...week,
    sliceBy: 'day',
    logGroupNames,
    destination: bucket,
  });
  await createJob(gatewayUrl, 'default', {
    name: 'with a log group that does not exist',
    ...week,
    logGroupNames: [...logGroupNames, '/demo/deleted'],
    destination: bucket,
  });
  await createJob(gatewayUrl, 'busy', {
    name: 'behind a foreign task',
    ...week,
    sliceBy: 'day',
    logGroupNames: [logGroupName],
    destination: usBucket,
  });
}

async function createJob(gatewayUrl: string, target: string, job: object): Promise<void> {
  const answer = await fetch(`${gatewayUrl}/export-jobs?target=${target}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(job),
  });
  if (answer.status !== 202) throw new Error(`The job was not accepted: ${await answer.text()}`);
}
