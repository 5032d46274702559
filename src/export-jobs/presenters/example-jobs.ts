import { type ExportJob, exampleJobId } from '../export-job.ts';

/** A finished job, for examples. */
export const exampleJob = {
  id: exampleJobId,
  target: 'default',
  name: 'checkout, May',
  caller: 'anonymous',
  priority: 0,
  from: '2024-05-01T00:00:00.000Z',
  to: '2024-05-03T00:00:00.000Z',
  sliceBy: 'day' as const,
  timeZone: 'UTC',
  destination: 'demo-log-archive',
  destinationPrefix: 'checkout/{yyyy}-{MM}-{dd}/{jobId}/{attempt}',
  verification: 'objects' as const,
  isUnsettled: false,
  state: 'completed' as const,
  sliceCounts: {
    waiting: 0,
    starting: 0,
    running: 0,
    cancelling: 0,
    verifying: 0,
    completed: 2,
    failed: 0,
    cancelled: 0,
    split: 0,
  },
  acceptedAt: '2024-05-04T08:00:00.000Z',
  startedAt: '2024-05-04T08:00:00.100Z',
  endedAt: '2024-05-04T08:04:10.000Z',
  verified: {
    slices: 2,
    emptySlices: 0,
    skippedSlices: 0,
    unprovenSlices: 0,
    uncountedSlices: 0,
    objects: 14,
    bytes: 81_264,
    streams: 14,
  },
  failures: [],
  links: {
    self: `/export-jobs/${exampleJobId}`,
    slices: `/export-jobs/${exampleJobId}/slices`,
    objects: `/export-jobs/${exampleJobId}/objects`,
    events: `/export-jobs/${exampleJobId}/events`,
    cancel: `/export-jobs/${exampleJobId}/cancel`,
    retry: `/export-jobs/${exampleJobId}/retry`,
  },
} satisfies ExportJob;

/** The same job when it was accepted. */
export const exampleAccepted = {
  ...exampleJob,
  state: 'waiting' as const,
  sliceCounts: { ...exampleJob.sliceCounts, waiting: 2, completed: 0 },
  startedAt: undefined,
  endedAt: undefined,
  verified: { ...exampleJob.verified, slices: 0, objects: 0, bytes: 0, streams: 0 },
  queue: { position: 1 },
};
