import type { CallerRequest } from '#auth/authorization/authorizer.ts';

/** The queue of a caller at a priority. */
export interface CallerQueueName {
  priority: number;
  caller: string;
}

/** What callers may see of export jobs outside the operations on jobs. Each job is authorized. */
export interface JobVisibility {
  /** Those of the jobs that exist and that the caller may not read. */
  findHiddenJobs(request: CallerRequest, jobIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * The queues of a target in which the caller may read every job, so that their callers may be shown.
   * It checks the first waiting jobs only; a long queue may have more.
   */
  findReadableQueues(request: CallerRequest, target: string): Promise<CallerQueueName[]>;
}
