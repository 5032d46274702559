import type { Database } from '#database/database.ts';
import { endStartedJob, type JobEnd, startJob } from '../end-job.ts';
import type { AwsModel, ModelLogGroup } from './aws-model.ts';

/** A slot that exports waiting jobs one after the other, with the acts of the dispatcher on the database. */
export interface SlotModel {
  /** Ends the task in the slot if it is over, and starts the next. */
  work(options: SlotOptions): Promise<void>;
  /** When the task in the slot ends; undefined if there is none. */
  endsAt(): number | undefined;
}

/** How exports go. */
interface SlotOptions {
  random: () => number;
  failShare: number;
  cancelShare: number;
}

interface RunningTask {
  jobId: string;
  of: ModelLogGroup | undefined;
  fromAt: number;
  toAt: number;
  revision: number;
  sentAt: number;
  endsAt: number;
}

/** Makes the slot. Each task takes `taskMs` or less. */
export function makeSlotModel(
  database: Database,
  model: AwsModel,
  now: () => number,
  taskMs: number,
): SlotModel {
  let running: RunningTask | undefined;

  async function end(task: RunningTask, { random, failShare, cancelShare }: SlotOptions) {
    const ending = endOf(task, random(), failShare, cancelShare);
    await endStartedJob(database, task.jobId, ending);
    if (ending.outcome !== 'covered' || !task.of) return;
    // Log events in an export prove that the rest of it was not deleted under an earlier retention.
    const limit = ending.isEmpty ? 'goneBefore' : 'expiredBefore';
    const wholeFrom = model[limit](task.of, task.sentAt);
    model.exports.push({ ...task, of: task.of, wholeFrom });
  }

  function endOf(
    { of, sentAt, toAt }: RunningTask,
    dice: number,
    failShare: number,
    cancelShare: number,
  ): JobEnd {
    if (!of) return { outcome: 'failed', problem: 'log-group-not-found' };
    if (!model.hasBucket) return { outcome: 'failed', problem: 'destination-not-found' };
    if (dice < failShare) return { outcome: 'failed', problem: 'export-task-failed' };
    if (dice < failShare + cancelShare) return { outcome: 'cancelled' };
    return { outcome: 'covered', isEmpty: dice > 0.9 || toAt <= model.goneBefore(of, sentAt) };
  }

  return {
    endsAt: () => running?.endsAt,
    async work(options) {
      if (running && running.endsAt <= now()) {
        await end(running, options);
        running = undefined;
      }
      if (running) return;
      const next = await nextJob(database);
      if (!next) return;
      await startJob(database, next.jobId);
      const of = model.find(next.logGroupName);
      running = {
        ...next,
        of,
        sentAt: now(),
        endsAt: now() + Math.ceil(options.random() * taskMs),
      };
    },
  };
}

const nextJob = ({ queries }: Database) =>
  queries
    .selectFrom('slices')
    .innerJoin('jobs', 'jobs.id', 'slices.jobId')
    .select(['slices.jobId', 'logGroupName', 'slices.fromAt', 'slices.toAt', 'revision'])
    .where('state', '=', 'waiting')
    .orderBy('slices.priority', 'desc')
    .orderBy('readyAt')
    .orderBy('slices.fromAt')
    .limit(1)
    .executeTakeFirst();
