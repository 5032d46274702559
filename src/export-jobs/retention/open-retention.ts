import { untilMigrated } from '#database/until-migrated.ts';
import { deletedJobs } from '#diagnostics/exports.ts';
import { Problem } from '#problems/problem.ts';
import type { Log } from '#telemetry/log.ts';
import { backOffMs } from '#time/back-off.ts';
import type { Deleted, PurgedRow } from './deletion-step.ts';
import { type PurgeOptions, purge } from './purge.ts';

/** Deletes old rows as long as it is open. */
export interface Retention {
  /** Starts no further transaction. What is left is deleted after the next start. */
  close(): Promise<void>;
}

// After the start of the process, which has enough to do then.
const firstPurgeAfterMs = 60_000;
// Shorter: replicas query for nothing. Longer: more is deleted at once.
const purgeEveryMs = 600_000;
// The pauses after failures. Deletion is not urgent.
const pauses = { firstMs: 10_000, maxMs: 900_000 };
// By then half an hour has passed, and the pauses no longer grow.
const failuresOfAlarm = 8;

const remedy =
  'Check that the database answers, that its disk has space, and that its role may delete rows. Nothing is lost: old rows stay until it works again.';

/** Opens the deletion of old rows: a purge every ten minutes. */
export function openRetention(options: PurgeOptions & { log: Log }): Retention {
  const { database, elapsed, sleep, log } = options;
  const stop = new AbortController();
  let deleted: Deleted = {};
  let beganAt = elapsed();
  let failures = 0;
  const ended = run();
  return {
    async close() {
      stop.abort();
      await ended;
    },
  };

  async function run(): Promise<void> {
    const { signal } = stop;
    await untilMigrated(database, signal);
    for (let pauseMs = firstPurgeAfterMs; !signal.aborted; ) {
      await sleep(pauseMs, signal);
      if (!signal.aborted) pauseMs = await purgeOnce().catch(recover);
    }
  }

  /** Returns the pause until the next purge. */
  async function purgeOnce(): Promise<number> {
    const dueInMs = await purge(options, count, stop.signal);
    if (failures > 0) log.info({ failures }, 'deletion of old rows works again');
    failures = 0;
    if (dueInMs !== undefined) return dueInMs;
    if (Object.keys(deleted).length > 0) {
      log.info({ ...deleted, tookMs: Math.round(elapsed() - beganAt) }, 'deleted old rows');
    }
    deleted = {};
    return purgeEveryMs;
  }

  function count(more: Deleted): void {
    if (Object.keys(deleted).length === 0) beganAt = elapsed();
    if (more.jobs !== undefined) deletedJobs.publish({ jobs: more.jobs });
    for (const [kind, rows] of Object.entries(more) as [PurgedRow, number][]) {
      deleted[kind] = (deleted[kind] ?? 0) + rows;
    }
  }

  /** One line at the first failure, and one if it lasts. */
  function recover(error: unknown): number {
    if (stop.signal.aborted) return 0;
    const retryInMs = backOffMs(failures, pauses);
    failures += 1;
    const problem = error instanceof Problem ? error.slug : undefined;
    const err = error instanceof Problem ? error.cause : error;
    const facts = { problem, err, failures, retryInMs, remedy };
    const text = 'failed to delete old rows, retrying';
    if (failures === 1) log.warn(facts, text);
    if (failures === failuresOfAlarm) log.error(facts, text);
    return retryInMs;
  }
}
