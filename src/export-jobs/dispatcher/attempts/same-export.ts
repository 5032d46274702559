import { type AwsExportTask, withoutEndingSlashes } from '#aws/export-task.ts';
import { toInclusive, type Window } from '../../planning/window.ts';

/** What an attempt asked AWS for. */
export interface AskedExport extends Window {
  logGroupName: string;
  destination: string;
  destinationPrefix: string;
}

/**
 * Whether a task exports what an attempt asked for. What AWS leaves out speaks against nothing, and it
 * may show a prefix without the slashes it ended with. The time of its creation is not looked at:
 * clocks differ, and a marker is younger than its attempt anyway.
 */
export function isSameExport(task: AwsExportTask, asked: AskedExport): boolean {
  const { logGroupName, from, to, destination, destinationPrefix } = task;
  const window = toInclusive(asked);
  return (
    isUnlessAbsent(logGroupName, asked.logGroupName) &&
    isUnlessAbsent(from, window.from) &&
    isUnlessAbsent(to, window.to) &&
    isUnlessAbsent(destination, asked.destination) &&
    isUnlessAbsent(
      destinationPrefix && withoutEndingSlashes(destinationPrefix),
      withoutEndingSlashes(asked.destinationPrefix),
    )
  );
}

function isUnlessAbsent<Value>(shown: Value | undefined, asked: Value): boolean {
  return shown === undefined || shown === asked;
}
