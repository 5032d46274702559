import { Problem } from '#problems/problem.ts';

/** What is known of a job that was deleted. */
export interface DeletedJob {
  id: string;
  caller: string;
  deletedAt: number;
}

/** Makes the problem of a request whose job was deleted after the request had found it. */
export function deletedMeanwhile(): Problem {
  return new Problem('export-job-deleted', 'This job was deleted during the request.');
}
