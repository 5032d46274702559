import type { Queue } from '../open-queue.ts';

/** Denies the service role every look at buckets, so that only a create finds out about a destination. */
export function hideBuckets({ emulator }: Queue): void {
  const denied = { kind: 'error', status: 403, code: 'AccessDenied', count: 100_000 } as const;
  for (const operation of ['HeadBucket', 'GetBucketPolicy', 'GetBucketEncryption']) {
    emulator.faults.add({ operation, ...denied });
  }
}
