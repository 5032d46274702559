import type { Queries } from '#database/database.ts';

/** An event of a job. */
export interface JobEvent {
  /** The version of the job that the event made: 1, 2, 3, … without a gap. */
  version: number;
  at: number;
  type: string;
  /** Its members, depending on `type`. */
  data: Record<string, unknown>;
}

// A page is about 25 KB, and each stream holds two of them while its reader does not read. Fewer: a
// long history takes more queries. More: a thousand such streams fill the memory of a small
// container.
const eventsPerPage = 100;

/**
 * Reads at most a page of the events of a job after a version, the oldest first. A deleted job has none,
 * although some of its rows may still be there.
 */
export async function readEvents(
  queries: Queries,
  jobId: string,
  afterVersion: number,
): Promise<JobEvent[]> {
  const rows = await queries
    .selectFrom('events')
    .select(['version', 'at', 'type', 'data'])
    .where('jobId', '=', jobId)
    .where('version', '>', afterVersion)
    .where(({ exists, selectFrom }) =>
      exists(selectFrom('jobs').select('id').where('id', '=', jobId)),
    )
    .orderBy('version')
    .limit(eventsPerPage)
    .execute();
  return rows.map(({ data, ...row }) => ({ ...row, data: JSON.parse(data) }));
}
