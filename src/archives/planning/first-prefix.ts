import type { TargetIdentity } from '#auth/authorization/authorizer.ts';
import { utc } from '#export-jobs/planning/calendar/wall-clock.ts';
import { readPrefixTemplate } from '#export-jobs/planning/prefix-template.ts';
import type { PlannedArchive } from './plan-archive.ts';

/** Renders the destination prefix of the first export of an archive, as AWS gets it. */
export function firstPrefixOf(
  { definition, logGroups }: Pick<PlannedArchive, 'definition' | 'logGroups'>,
  target: TargetIdentity,
  jobId: string,
): string {
  const { destinationPrefix, logGroupNames, logGroupNamePrefix, fromAt } = definition;
  const [first] = logGroups;
  const logGroupName = first?.logGroupName ?? logGroupNames?.[0] ?? logGroupNamePrefix ?? '';
  const template = readPrefixTemplate(destinationPrefix, { target, jobId, timeZone: utc });
  return template.render({ logGroupName, fromAt, attempt: 1 });
}
