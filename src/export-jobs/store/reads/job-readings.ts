import { setAsNewest } from '#caching/bounded-map.ts';
import type { JobHead } from './read-heads.ts';
import type { JobReading } from './read-jobs.ts';

/** How jobs are read from the database: any number in one query. */
export interface JobReadingsOptions {
  readHeads: (jobIds: readonly string[]) => Promise<Map<string, JobHead>>;
  readJobs: (jobIds: readonly string[]) => Promise<Map<string, JobReading>>;
}

/** Jobs as they are read over and over, by callers who wait for them. */
export interface JobReadings {
  /** The head of a job, as it is now; `undefined` when there is none. Who may have it, access says. */
  headOf(jobId: string): Promise<JobHead | undefined>;
  /** The job of each head, of its version or a later one, in the order of the heads. */
  of(heads: readonly Pick<JobHead, 'id' | 'version'>[]): Promise<JobReading[]>;
}

// A reading is some KiB at most. Fewer, and the readers of many jobs would count slices each time.
const maxReadings = 1_000;

/**
 * Reads jobs cheaply: every question looks at the job's version, and its slices are counted only when
 * that has changed. Whatever is asked at once is one query.
 */
export function makeJobReadings({ readHeads, readJobs }: JobReadingsOptions): JobReadings {
  const latest = new Map<string, JobReading>();
  const headOf = gather(readHeads);
  const jobOf = gather(readJobs);

  async function read({ id, version }: Pick<JobHead, 'id' | 'version'>): Promise<JobReading> {
    const known = latest.get(id);
    const isRecent = known !== undefined && known.job.version >= version;
    // Whoever has a head has its job: none is ever deleted.
    const reading = isRecent ? known : ((await jobOf(id)) as JobReading);
    setAsNewest(latest, id, reading, maxReadings); // so the one unused for longest is evicted first
    return reading;
  }

  return {
    headOf,
    of: (heads) => Promise.all(heads.map(read)),
  };
}

/**
 * Gathers questions into one query. There is one under way at a time, and those who ask meanwhile get
 * the next, which begins afterwards: so everybody sees what was committed before they asked.
 */
function gather<Found>(readAll: (keys: readonly string[]) => Promise<Map<string, Found>>) {
  let underWay: Promise<unknown> = Promise.resolve();
  let next: { keys: Set<string>; found: Promise<Map<string, Found>> } | undefined;

  function open() {
    const keys = new Set<string>();
    const found = underWay.then(() => {
      next = undefined;
      return readAll([...keys]);
    });
    underWay = found.catch(() => {}); // told to those who asked
    return { keys, found };
  }

  return async (key: string): Promise<Found | undefined> => {
    next ??= open();
    next.keys.add(key);
    return (await next.found).get(key);
  };
}
