import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import type { EventType } from './event.ts';

/** What an event is about. */
export interface EventSubject {
  /** The caller whose endpoints get it. */
  caller: string;
  /** The target whose topic and event bus get it. */
  target: string;
  jobId?: string | undefined;
  archiveId?: string | undefined;
  /** The version of the job or the archive after the change. */
  version: number;
}

/** An event, and what its message tells beside its subject. */
export interface DescribedEvent {
  type: EventType;
  data: object;
}

/** The notification of PostgreSQL that an event was recorded. No target has such a name. */
export const eventsRecorded = 'notification events';

/**
 * Records an event in the transaction of the change that it tells of. Where nobody listens, this is one short
 * statement: `describe` is not called.
 */
export async function recordEvent(
  queries: Queries,
  database: Pick<Database, 'now' | 'notify'>,
  subject: EventSubject,
  describe: () => Promise<DescribedEvent>,
): Promise<void> {
  if (!(await isHeard(queries, subject))) return;
  const { type, data } = await describe();
  await queries
    .insertInto('notificationEvents')
    .values({
      id: `msg_${randomUUID()}`,
      at: database.now(),
      type,
      caller: subject.caller,
      target: subject.target,
      endpointId: null,
      jobId: subject.jobId ?? null,
      archiveId: subject.archiveId ?? null,
      version: subject.version,
      data: JSON.stringify(data),
    })
    .execute();
  await database.notify(queries, eventsRecorded);
}

/** Whether the caller has an endpoint, or the target has a topic or an event bus. */
async function isHeard(
  queries: Queries,
  { caller, target }: Pick<EventSubject, 'caller' | 'target'>,
): Promise<boolean> {
  const { rows } = await sql`
    select 1 from webhook_endpoints where caller = ${caller} and disabled_at is null
    union all select 1 from notification_sinks where target = ${target} limit 1
  `.execute(queries);
  return rows.length > 0;
}
