import type { OpenTarget } from '#targets/target.ts';
import type { CreateExportJob, SliceBy } from './create-export-job.ts';

/** A half-open window of time, epoch ms: `fromAt` is in it, `toAt` is not. */
export interface Window {
  fromAt: number;
  toAt: number;
}

/** One log group × one window, as it enters the line. */
export interface PlannedSlice extends Window {
  /** 0, 1, 2, … within the job. */
  number: number;
  logGroupName: string;
  /** Until when its log events may still become exportable; null when it need not wait. */
  notBeforeAt: number | null;
  /** From when on it stands in line. */
  readyAt: number;
}

/** What a job is, with every default applied. Instants are epoch ms. */
export interface PlannedJobFacts extends Window {
  target: string;
  name: string | null;
  priority: number;
  sliceBy: SliceBy;
  destination: string;
  /** The template, as it was sent or the default. */
  destinationPrefix: string;
  logStreamNamePrefix: string | null;
  isUnsettledAllowed: boolean;
  /** What the log groups hold, where CloudWatch Logs was asked for them. */
  logGroupBytes: number | null;
}

/** A job ready to be accepted. */
export interface PlannedJob {
  job: PlannedJobFacts;
  /** In the order of their numbers. */
  slices: PlannedSlice[];
}

/** What planning needs of the world. */
export interface PlanningOptions {
  target: Pick<OpenTarget, 'name' | 'region' | 'accountId' | 'logs'>;
  /** Now, by the clock of the database, epoch ms. */
  now: number;
  sleep: (ms: number) => Promise<void>;
  jobId: string;
}

/**
 * Turns a wish into slices. Asks CloudWatch Logs only for a `logGroupNamePrefix`.
 * @throws Problem invalid-request, no-log-groups, too-many-slices, or what AWS's answer means
 */
export async function planJob(
  body: CreateExportJob,
  options: PlanningOptions,
): Promise<PlannedJob> {
  throw new Error(`not planned: ${body.destination} at ${options.now}`);
}
