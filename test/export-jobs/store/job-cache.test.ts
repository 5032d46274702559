import { beforeEach, expect, test } from 'vitest';
import { type JobCache, makeJobCache } from '#export-jobs/store/reads/job-cache.ts';
import type { JobHead } from '#export-jobs/store/reads/read-heads.ts';
import type { JobSnapshot } from '#export-jobs/store/reads/read-jobs.ts';

// A database of one row, whose answers can be delayed.
let version: number;
let asked: { heads: string[][]; jobs: string[][] };
let failure: Error | undefined;
let onItsWay: Promise<void>;
let jobs: JobCache;

beforeEach(() => {
  version = 1;
  asked = { heads: [], jobs: [] };
  failure = undefined;
  onItsWay = Promise.resolve();
  jobs = makeJobCache({
    async findJobs(ids) {
      asked.heads.push([...ids]);
      const found = ids.map((id): [string, JobHead] => [id, { id, version } as JobHead]);
      await onItsWay;
      if (failure) throw failure;
      return new Map(found.filter(([id]) => id !== 'unknown'));
    },
    async readJobs(ids) {
      asked.jobs.push([...ids]);
      const found = ids.map((id): [string, JobSnapshot] => [id, { job: { id, version } } as never]);
      await onItsWay;
      return new Map(found.filter(([id]) => id !== 'deleted'));
    },
  });
});

const heads = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ id: `job-${index}`, version }));
const versionsOf = (found: readonly JobSnapshot[]) => found.map(({ job }) => job.version);

test('counts slices once per version', async () => {
  const [head] = heads(1) as [ReturnType<typeof heads>[0]];

  await jobs.read([head]);
  await jobs.read([head]);
  expect(asked.jobs).toHaveLength(1);

  version = 2;
  expect(versionsOf(await jobs.read([{ ...head, version: 2 }]))).toEqual([2]);
  expect(versionsOf(await jobs.read([head]))).toEqual([2]); // an older head gets the newer job
  expect(asked.jobs).toHaveLength(2);
});

test('reads all unknown jobs of a page in one query', async () => {
  const page = heads(5);
  await jobs.read(page.slice(1, 2));

  const found = await jobs.read(page);

  expect(found.map(({ job }) => job.id)).toEqual(page.map(({ id }) => id));
  expect(asked.jobs).toEqual([['job-1'], ['job-0', 'job-2', 'job-3', 'job-4']]);
});

test('queries nothing for an empty page', async () => {
  expect(await jobs.read([])).toEqual([]);
  expect(asked.jobs).toEqual([]);
});

test('evicts the least recently used of 1,001 jobs', async () => {
  const all = heads(1_001);
  await jobs.read(all.slice(0, 1_000));
  await jobs.read(all.slice(0, 1)); // so that it is not the oldest
  await jobs.read(all.slice(1_000));
  asked.jobs = [];

  await jobs.read([...all.slice(0, 1), ...all.slice(2)]);
  expect(asked.jobs).toEqual([]);

  await jobs.read(all.slice(1, 2));
  expect(asked.jobs).toEqual([['job-1']]);
});

test('combines concurrent reads into one query', async () => {
  const ids = Array.from({ length: 100 }, (_, index) => `job-${index % 3}`);

  const found = await Promise.all(ids.map((id) => jobs.find(id)));

  expect(found.map((head) => head?.id)).toEqual(ids);
  expect(asked.heads).toEqual([['job-0', 'job-1', 'job-2']]);
});

test('sends a later query for reads that arrive during a query', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  onItsWay = promise;
  const early = jobs.find('job');
  await new Promise(setImmediate);
  version = 2;

  const late = jobs.find('job');
  resolve();

  expect(await early).toMatchObject({ version: 1 });
  expect(await late).toMatchObject({ version: 2 });
});

test('returns a failure to its readers, and queries again afterwards', async () => {
  failure = new Error('away');
  const early = jobs.find('job');
  const late = new Promise(setImmediate).then(() => jobs.find('job'));
  await expect(early).rejects.toBe(failure);
  await expect(late).rejects.toBe(failure);
  failure = undefined;

  expect(await jobs.find('job')).toMatchObject({ version: 1 });
});

test('returns no head for a job that does not exist', async () => {
  expect(await jobs.find('unknown')).toBeUndefined();
});

test('omits a job that was deleted after its head was read', async () => {
  const [first, last] = heads(2) as [
    { id: string; version: number },
    { id: string; version: number },
  ];

  const found = await jobs.read([first, { id: 'deleted', version }, last]);

  expect(found.map(({ job }) => job.id)).toEqual([first.id, last.id]);
});
