import { type AwsExportTask, withoutEndingSlashes } from '#aws/export-task.ts';

/** What an attempt asked AWS for. */
export interface AskedExport {
  logGroupName: string;
  fromAt: number;
  toAt: number;
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
  return (
    isUnlessAbsent(logGroupName, asked.logGroupName) &&
    isUnlessAbsent(from, BigInt(asked.fromAt)) &&
    isUnlessAbsent(to, BigInt(asked.toAt) - 1n) &&
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
