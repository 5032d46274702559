import { Problem } from '#problems/problem.ts';
import type { JobHead, JobReading } from '../job-store/reads.ts';

/** How jobs are read from the database. */
export interface JobReadingsOptions {
  readHead: (jobId: string) => Promise<JobHead | undefined>;
  readJobs: (jobIds: readonly string[]) => Promise<Map<string, JobReading>>;
}

/** Jobs as they are read over and over, by callers who wait for them. */
export interface JobReadings {
  /**
   * The head of a caller's job, as it is now.
   * @throws Problem export-job-not-found, for a job of somebody else too
   */
  headOf(jobId: string, caller: string): Promise<JobHead>;
  /** The job of each head, of its version or a later one, in the order of the heads. */
  of(heads: readonly JobHead[]): Promise<JobReading[]>;
}

// A reading is some KiB at most. Fewer, and the readers of many jobs would count slices each time.
const mostReadings = 1_000;

/**
 * Reads jobs cheaply: every question looks at the job's version, and its slices are counted only when
 * that has changed. Equal questions share a query, but never one that began before they were asked.
 */
export function makeJobReadings({ readHead, readJobs }: JobReadingsOptions): JobReadings {
  const latest = new Map<string, JobReading>();
  const readHeadShared = shareByKey(readHead);
  const readJobShared = shareByKey(async (jobId) => (await readJobs([jobId])).get(jobId));

  function remember(reading: JobReading): JobReading {
    const { id } = reading.job;
    latest.delete(id); // so that the oldest use comes first
    latest.set(id, reading);
    if (latest.size > mostReadings) latest.delete(latest.keys().next().value as string);
    return reading;
  }

  function recall({ id, version }: JobHead): JobReading | undefined {
    const known = latest.get(id);
    return known && known.job.version >= version ? known : undefined;
  }

  return {
    async headOf(jobId, caller) {
      const head = await readHeadShared(jobId);
      if (head?.caller !== caller) {
        throw new Problem('export-job-not-found', 'You have no export job of this id.');
      }
      return head;
    },
    async of(heads) {
      const known = new Map(heads.map((head) => [head.id, recall(head)]));
      const missing = heads.map(({ id }) => id).filter((id) => known.get(id) === undefined);
      const [only] = missing;
      if (missing.length > 1) {
        for (const [id, reading] of await readJobs(missing)) known.set(id, reading);
      } else if (only !== undefined) {
        known.set(only, await readJobShared(only));
      }
      return heads.map(({ id }) => remember(known.get(id) as JobReading));
    },
  };
}

/**
 * Lets those who ask for the same at once share a query. Who asks while one is under way gets the
 * next, which begins afterwards: so everybody sees what was committed before they asked.
 */
function shareByKey<Result>(read: (key: string) => Promise<Result>): typeof read {
  const underWay = new Map<string, Promise<Result>>();
  const next = new Map<string, Promise<Result>>();

  function begin(key: string): Promise<Result> {
    const result = read(key).finally(() => underWay.delete(key));
    underWay.set(key, result);
    return result;
  }

  return (key) => {
    const current = underWay.get(key);
    if (current === undefined) return begin(key);
    const waiting = next.get(key);
    if (waiting !== undefined) return waiting;
    const begun = current
      .catch(() => {})
      .then(() => {
        next.delete(key);
        return begin(key);
      });
    next.set(key, begun);
    return begun;
  };
}
