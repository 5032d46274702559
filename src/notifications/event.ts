/** The types of events, as Standard Webhooks names them. */
export const eventTypes = [
  'export_job.completed',
  'export_job.failed',
  'export_job.cancelled',
  'archive.at_risk',
  'archive.lost',
  'archive.stopped',
  'archive.recovered',
  'webhook.test',
] as const;
export type EventType = (typeof eventTypes)[number];
