/**
 * The prefix a create exports to: its own, or the default of AWS. How AWS treats an empty prefix is not
 * recorded, so an empty one is never sent. Authorization, request and look-up all use this value.
 */
export function effectivePrefix(destinationPrefix: string | undefined): string {
  return destinationPrefix || defaultDestinationPrefix;
}

/** API reference of CreateExportTask: "If you don't specify a value, the default is exportedlogs". */
export const defaultDestinationPrefix = 'exportedlogs';

/**
 * A prefix in the form in which prefixes are compared. AWS appends a slash to a prefix, and may show it
 * without its trailing slashes.
 */
export function withoutTrailingSlashes(prefix: string): string {
  // Not a regular expression: one for trailing slashes would take quadratic time.
  let end = prefix.length;
  while (prefix[end - 1] === '/') end -= 1;
  return prefix.slice(0, end);
}

/** The object that CloudWatch Logs writes to check its permission. It is no part of an export. */
export const testObjectName = 'aws-logs-write-test';

/** The key prefix of the objects of an export. AWS appends the task id to the prefix of the create. */
export const objectsPrefixOf = (place: { destinationPrefix: string; taskId: string }) =>
  `${place.destinationPrefix}/${place.taskId}/`;

/** How the keys of the manifest of an export begin. Athena, Glue and Hive skip names that begin with `_`. */
export const manifestPrefixOf = (destinationPrefix: string, taskId: string) =>
  `${destinationPrefix}/_manifest-${taskId}`;
