import { withoutTrailingSlashes } from '#aws/destination-prefix.ts';
import type { AwsExportTask, CreateExportTaskInput } from '#aws/export-task.ts';
import { type SentWindow, toInclusive } from '../../planning/window.ts';

/** Makes the CreateExportTask of an attempt. */
export function toTask(
  intent: RequestedExport & { marker: string; logStreamNamePrefix: string | null },
): CreateExportTaskInput {
  const { marker, logGroupName, logStreamNamePrefix, destination, destinationPrefix } = intent;
  return {
    taskName: marker,
    logGroupName,
    ...(logStreamNamePrefix !== null && { logStreamNamePrefix }),
    ...toInclusive(intent),
    destination,
    destinationPrefix,
  };
}

/** The export that an attempt requested. */
export interface RequestedExport extends SentWindow {
  logGroupName: string;
  destination: string;
  destinationPrefix: string;
}

/**
 * Whether a task exports what an attempt requested. A member that AWS leaves out counts as equal, and
 * AWS may show a prefix without its ending slashes. The creation time does not count: clocks differ,
 * and a marker is never older than its attempt.
 */
export function isSameExport(task: AwsExportTask, requested: RequestedExport): boolean {
  const { logGroupName, from, to, destination, destinationPrefix } = task;
  const window = toInclusive(requested);
  return (
    isUnlessAbsent(logGroupName, requested.logGroupName) &&
    isUnlessAbsent(from, window.from) &&
    isUnlessAbsent(to, window.to) &&
    isUnlessAbsent(destination, requested.destination) &&
    isUnlessAbsent(
      destinationPrefix && withoutTrailingSlashes(destinationPrefix),
      withoutTrailingSlashes(requested.destinationPrefix),
    )
  );
}

function isUnlessAbsent<Value>(shown: Value | undefined, requested: Value): boolean {
  return shown === undefined || shown === requested;
}
