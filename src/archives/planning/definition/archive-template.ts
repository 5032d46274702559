import type { PartitionBy } from '#coverage/ledger/units.ts';
import { faultOf, placeholders } from '#export-jobs/planning/prefix-template.ts';

/** The times that each partition needs in its prefix, for each unit. */
const timesOf: Record<PartitionBy, readonly string[]> = {
  hour: ['{yyyy}', '{MM}', '{dd}', '{HH}'],
  day: ['{yyyy}', '{MM}', '{dd}'],
  week: ['{yyyy}', '{MM}', '{dd}'],
  month: ['{yyyy}', '{MM}'],
};

/** The template of an archive that names none. No two exports of an archive share a prefix. */
export const defaultArchiveTemplate = (partitionBy: PartitionBy): string =>
  `{account}/{region}/{logGroup}/${timesOf[partitionBy].join('/')}/r{revision}/{attempt}`;

/** The description of the templates of archives in the OpenAPI document. */
export const archiveTemplateDescription = `Template for the key prefix of the exported objects. It has the placeholders of export jobs, and {revision}: 1 for the first export of a partition, 2 for the second one. The times are in UTC. Each partition needs a prefix of its own. So a \`month\` needs {yyyy} and {MM}. A \`day\` or a \`week\` needs {yyyy}, {MM} and {dd}. An \`hour\` needs {yyyy}, {MM}, {dd} and {HH}. {logGroup} is required, unless the archive has one log group. {revision} or {jobId} is required if \`refreshDays\` is not 0. The default for a \`day\` or a \`week\` is ${defaultArchiveTemplate('day')}. For an \`hour\`, it has /{HH} after {dd}. For a \`month\`, it has no /{dd}.`;

/** What decides which placeholders a template must have. */
interface TemplateUse {
  partitionBy: PartitionBy;
  refreshDays: number;
  hasOneLogGroup: boolean;
}

/** Says what is wrong with the template of an archive; `undefined` when it is valid. */
export function templateFaultOf(
  prefixTemplate: string,
  { partitionBy, refreshDays, hasOneLogGroup }: TemplateUse,
): string | undefined {
  const fault = faultOf(prefixTemplate, placeholders.archive);
  if (fault !== undefined) return fault;
  const needed = [...(hasOneLogGroup ? [] : ['{logGroup}']), ...timesOf[partitionBy]];
  const missing = needed.filter((name) => !prefixTemplate.includes(name));
  if (missing.length > 0)
    return `must give each partition of the archive a prefix of its own, but lacks ${missing.join(', ')}`;
  const isRevised = ['{revision}', '{jobId}'].some((name) => prefixTemplate.includes(name));
  if (refreshDays > 0 && !isRevised)
    return 'must give each export of a partition a prefix of its own, because refreshDays is not 0, but lacks {revision}';
  return undefined;
}
