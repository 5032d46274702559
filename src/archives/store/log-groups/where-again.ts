import { sql } from 'kysely';

/**
 * Whether a part of `ranges` is exported again, now or later. What is in partitions that failed for the last time is
 * not: it waits for a backfill.
 */
export const whereAgain = sql<boolean>`ranges.to_at - ranges.from_at > (
  select coalesce(sum(ended.to_at - ended.from_at), 0)
  from archive_partitions as ended
  where ended.archive_id = ranges.archive_id
    and ended.log_group_name = ranges.log_group_name
    and ended.incarnation = ranges.incarnation
    and ended.from_at >= ranges.from_at
    and ended.to_at <= ranges.to_at
    and ended.state = 'missing'
    and ended.retry_at is null
)`;
