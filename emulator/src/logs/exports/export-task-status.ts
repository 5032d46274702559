/** The six states of an export task. */
export const exportTaskStatusCodes = [
  'CANCELLED',
  'COMPLETED',
  'FAILED',
  'PENDING',
  'PENDING_CANCEL',
  'RUNNING',
] as const;

/** One of the six states. */
export type ExportTaskStatusCode = (typeof exportTaskStatusCodes)[number];
