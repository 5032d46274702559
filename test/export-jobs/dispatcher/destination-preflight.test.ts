import { describe, expect, test } from 'vitest';
import { retryJob } from '#export-jobs/store/requests/retry-job.ts';
import { approvalOf } from '../caller-requests.ts';
import { startAt } from '../insert-hourly-job.ts';
import { openQueue, type Queue } from '../open-queue.ts';

// The look at a destination before the first slice of a job. Only a certain refusal ends a job.

const region = 'eu-west-1';

const problemOf = async (queue: Queue, jobId: string) => {
  const [slice] = await queue.slices(jobId);
  return slice?.problem === null ? null : JSON.parse(slice?.problem ?? 'null');
};

describe('a job fails without a create', () => {
  test.for([
    ['into a bucket that does not exist', undefined, 'destination-not-found', 'no bucket'],
    [
      'into a bucket in another Region',
      { region: 'eu-west-2' },
      'destination-not-found',
      'eu-west-2',
    ],
    [
      'without a bucket policy',
      { policy: null },
      'destination-not-writable',
      's3:GetBucketAcl',
      /^Replace the bucket policy with `bucketPolicy`.* retry the job/,
    ],
    [
      'into a bucket with DSSE-KMS',
      { encryption: { algorithm: 'aws:kms:dsse' as const } },
      'destination-not-writable',
      'DSSE-KMS',
      /^Set the default encryption .* retry the job/,
    ],
  ] as const)('%s', async ([, bucket, slug, text, remedy = /retry the job/]) => {
    await using queue = await openQueue();
    if (bucket) queue.emulator.seed.bucket({ region, bucket: 'bad', ...bucket });
    const jobId = await queue.put({ slices: 20, destination: 'bad' });

    await queue.runUntilDone();

    expect(new Set(await queue.states(jobId))).toEqual(new Set(['failed']));
    expect(queue.calls('CreateExportTask')).toEqual([]);
    const problem = await problemOf(queue, jobId);
    expect(problem.type).toBe(`/problems/${slug}`);
    expect(problem.detail).toContain(text);
    expect(problem.remedy).toMatch(remedy);
    expect(problem.bucketPolicy !== undefined).toBe(text === 's3:GetBucketAcl');
  });

  test('into a bucket whose key CloudWatch Logs may not use', async () => {
    await using queue = await openQueue();
    const keyId = queue.emulator.seed.key({ region });
    const encryption = { algorithm: 'aws:kms' as const, keyId };
    queue.emulator.seed.bucket({ region, bucket: 'bad', encryption });
    const jobId = await queue.put({ destination: 'bad' });

    await queue.runUntilDone();

    const problem = await problemOf(queue, jobId);
    expect(queue.calls('CreateExportTask')).toEqual([]);
    expect(problem.remedy).toMatch(/^Replace the key policy/);
    expect(problem).not.toHaveProperty('bucketPolicy'); // the fix is a key policy
  });
});

test('a retry of such a job calls AWS, and completes the job once the bucket exists', async () => {
  await using queue = await openQueue();
  const jobId = await queue.put({ slices: 3, destination: 'late' });
  await queue.runUntilDone();
  queue.emulator.journal.clear();

  await retryJob(queue.database, jobId, approvalOf('anonymous'), 0);
  await queue.runUntilDone();
  const asked = queue.calls('CreateExportTask').length;
  const looks = queue.calls('HeadBucket').length;
  queue.emulator.seed.bucket({ region, bucket: 'late' });
  await retryJob(queue.database, jobId, approvalOf('anonymous'), 0);
  await queue.runUntilDone();

  expect([asked, looks]).toEqual([1, 0]);
  expect(await queue.states(jobId)).toEqual(['completed', 'completed', 'completed']);
});

describe('a job runs although its destination', () => {
  test('may not be read by the service role', async () => {
    await using queue = await openQueue({
      emulator: { deniedActions: { '*': ['s3:List*', 's3:GetBucket*', 's3:GetEncryption*'] } },
    });
    const jobId = await queue.put();

    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['completed']);
  });

  test('is answered with 404 by something that is not S3', async () => {
    await using queue = await openQueue();
    for (const operation of ['HeadBucket', 'GetBucketPolicy', 'GetBucketEncryption']) {
      const answer = { status: 404, code: 'NotFound', rawBody: 'no such page' };
      queue.emulator.faults.add({ kind: 'error', operation, ...answer, count: 10 });
    }
    const jobId = await queue.put();

    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['completed']);
  });

  test('is not answered for in time', async () => {
    await using queue = await openQueue({ timings: { preflightMs: 20 } });
    for (const operation of ['HeadBucket', 'GetBucketPolicy', 'GetBucketEncryption']) {
      queue.emulator.faults.add({ kind: 'silence-before', operation, count: 10 });
    }
    const jobId = await queue.put();

    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['completed']);
    expect(queue.calls('HeadBucket').length).toBeLessThanOrEqual(1); // the SDK repeats nothing
  });
});

test('a bucket without a refusal is read once a minute, a refused one each time', async () => {
  await using queue = await openQueue();
  const put = async (destination: string) => {
    await queue.put({ slices: 2, destination });
    await queue.runUntilDone();
  };
  // The SDK repeats a call with an error, because virtual time looks like a wrong clock.
  const looks = () =>
    new Set(queue.calls('GetBucketPolicy').map(({ invocationId }) => invocationId)).size;

  await put('archive');
  await put('archive');
  const good = looks();
  await put('bad');
  await put('bad');
  const bad = looks() - good;
  await queue.time.runFor(60_000);
  await put('archive');

  expect([good, bad, looks() - good - bad]).toEqual([1, 2, 1]);
});

describe('a caller with many jobs for a bucket that AWS refuses', () => {
  const exports = 20;

  test('delays others to at most 1.2 times their time, also at the highest priority', async () => {
    const aloneMs = await makespan(0);
    const besideMs = await makespan(30);

    expect(besideMs).toBeLessThanOrEqual(1.2 * aloneMs);
  });

  /** The time of the exports of a caller, beside jobs of another one. Each look at their bucket takes a second. */
  async function makespan(refusedJobs: number): Promise<number> {
    let time: Queue['time'] | undefined;
    await using queue = await openQueue({
      replicas: 0,
      seeTarget: (target) => ({
        ...target,
        storage: {
          ...target.storage,
          async readBucket(bucket, options) {
            if (bucket === 'bad') await time?.sleep(1_000);
            return target.storage.readBucket(bucket, options);
          },
        },
      }),
    });
    ({ time } = queue);
    queue.emulator.seed.bucket({ region, bucket: 'bad', policy: null });
    for (let job = 0; job < refusedJobs; job += 1)
      await queue.put({ caller: 'a', priority: 10, destination: 'bad' });
    const jobId = await queue.put({ caller: 'b', slices: exports });
    await queue.openReplica();

    await time.runUntil(async () =>
      (await queue.states(jobId)).every((state) => state === 'completed'),
    );
    const ms = time.now() - startAt;
    await queue.runUntilDone(); // a look that sleeps would never end
    return ms;
  }
});
