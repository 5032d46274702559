import { withoutTrailingSlashes } from '#aws/destination-prefix.ts';
import type { AwsExportTask } from '#aws/export-task.ts';
import type { Window } from '#time/window.ts';
import { toInclusive } from '../../planning/window.ts';

/** The export that an attempt requested. */
export interface RequestedExport extends Window {
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
