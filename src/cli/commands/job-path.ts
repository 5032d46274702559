/** The path of a job. */
export const jobPath = (jobId: string): string => `/export-jobs/${encodeURIComponent(jobId)}`;
