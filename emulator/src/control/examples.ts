import type { Seed } from './seed/seed.ts';

/** The log group, the bucket and the Region of the examples. */
export const examplesAt = {
  region: 'eu-west-1',
  logGroupName: '/demo/checkout',
  bucket: 'demo-log-archive',
} as const;

const finishedTaskId = '3f1c6a52-8c0f-4f0a-9d57-0d1a3f5d9a11';
const runningTaskId = '8d4e2b90-1f53-4c7e-b1a6-5a0c9f3e7d22';
const exampleDay = Date.UTC(2024, 4, 1);

/**
 * Adds data for examples: a log group with one event per minute of 1 May 2024, a bucket, a finished
 * task, and in us-east-1 a task that runs for five minutes. The OpenAPI document of the gateway uses them.
 */
export function seedExamples(seed: Seed): void {
  const { region, logGroupName, bucket } = examplesAt;
  const events = Array.from({ length: 1_440 }, (_, minute) => ({
    timestamp: exampleDay + minute * 60_000,
    message: `INFO  order placed order=${10_000 + minute}`,
  }));
  seed.logEvents({ region, logGroupName, logStreamName: 'web-1/app', events });
  seed.bucket({ region, bucket });

  const order = { logGroupName, destination: bucket, destinationPrefix: 'checkout/2024-05-01' };
  seed.finishedTasks({ region, count: 1, taskId: finishedTaskId, order });
  seed.foreignTask({
    region: 'us-east-1',
    taskId: runningTaskId,
    // Shorter: a reader finds nothing to cancel. Longer: the first export to us-east-1 waits longer.
    durationMs: 5 * 60_000,
    order,
  });
}
