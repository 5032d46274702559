import { setAsNewest } from '#caching/bounded-map.ts';
import type { DeletedJob } from '../deleted-job.ts';
import type { JobHead } from './read-heads.ts';
import type { JobSnapshot } from './read-jobs.ts';

/** How jobs are read from the database: any number of them in one query. */
export interface JobCacheOptions {
  findJobs: (jobIds: readonly string[]) => Promise<Map<string, JobHead | DeletedJob>>;
  readJobs: (jobIds: readonly string[]) => Promise<Map<string, JobSnapshot>>;
}

/** Reads jobs that many callers read over and over. It does not decide who may read them. */
export interface JobCache {
  /**
   * Finds the head of a job, never from memory, or what is known of a deleted one; `undefined` when there
   * is no such job.
   */
  find(jobId: string): Promise<JobHead | DeletedJob | undefined>;
  /**
   * Reads the jobs of heads, in their order. Each has the version of its head, or a later one. A job that
   * was deleted meanwhile is left out.
   */
  read(heads: readonly Pick<JobHead, 'id' | 'version'>[]): Promise<JobSnapshot[]>;
}

// A snapshot is a few KiB at most. Fewer: the slices of many jobs are counted with each request.
const maxSnapshots = 1_000;

/**
 * Makes a cache of jobs. A job's slices are counted again only when the version of its head has
 * changed. Concurrent reads share one query.
 */
export function makeJobCache({ findJobs, readJobs }: JobCacheOptions): JobCache {
  const snapshots = new Map<string, JobSnapshot>();
  const readJob = batch(readJobs);

  async function read({ id, version }: Pick<JobHead, 'id' | 'version'>) {
    const known = snapshots.get(id);
    const isRecent = known !== undefined && known.job.version >= version;
    const snapshot = isRecent ? known : await readJob(id);
    if (snapshot) setAsNewest(snapshots, id, snapshot, maxSnapshots); // evicts the one unused for longest
    return snapshot;
  }

  return {
    find: batch(findJobs),
    read: async (heads) =>
      (await Promise.all(heads.map(read))).filter((snapshot) => snapshot !== undefined),
  };
}

/**
 * Combines concurrent reads into one query. One query runs at a time. Reads that arrive meanwhile share
 * the next one, which starts after it: so each sees everything that was committed before it arrived.
 */
function batch<Found>(readAll: (keys: readonly string[]) => Promise<Map<string, Found>>) {
  let running: Promise<unknown> = Promise.resolve();
  let next: { keys: Set<string>; found: Promise<Map<string, Found>> } | undefined;

  function open() {
    const keys = new Set<string>();
    const found = running.then(() => {
      next = undefined;
      return readAll([...keys]);
    });
    running = found.catch(() => {}); // its readers get the error
    return { keys, found };
  }

  return async (key: string): Promise<Found | undefined> => {
    next ??= open();
    next.keys.add(key);
    return (await next.found).get(key);
  };
}
