import type { ArchiveDefinition } from '../archive.ts';

/** The part of a definition that selects log groups. */
export type Selection = Pick<
  ArchiveDefinition,
  'logGroupNames' | 'logGroupNamePrefix' | 'exceptLogGroupNamePrefixes'
>;

/** Whether an archive exports the log group with this name. */
export function isSelected(selection: Selection, logGroupName: string): boolean {
  const { logGroupNames, logGroupNamePrefix, exceptLogGroupNamePrefixes } = selection;
  if (exceptLogGroupNamePrefixes.some((prefix) => logGroupName.startsWith(prefix))) return false;
  if (logGroupNames) return logGroupNames.includes(logGroupName);
  return logGroupName.startsWith(logGroupNamePrefix ?? '');
}
