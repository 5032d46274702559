import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeFolder } from './folder.ts';
import { createBody } from './requests.ts';

/** The number of policies in the folder of `writePolicies`. */
const policies = 100;

/** The group that the policies permit to make the creates of the benchmark. */
export const permittedGroup = 'checkout';

/** Writes a hundred policies, one per team, and returns their folder. The last one permits the benchmark. */
export function writePolicies(issuer: string): string {
  const folder = makeFolder();
  const others = Array.from({ length: policies - 1 }, (_, number) =>
    policyOf(issuer, `team-${number}`),
  );
  writeFileSync(
    join(folder, 'teams.cedar'),
    [...others, policyOf(issuer, permittedGroup)].join('\n'),
  );
  return folder;
}

function policyOf(issuer: string, team: string): string {
  return `permit(
    principal in Group::"${issuer}#${team}",
    action == Action::"CreateExportTask",
    resource is LogGroup
  ) when {
    resource.name like "/demo/${team}*" &&
    context.destination == "${createBody.destination}" &&
    context.destinationPrefix like "${team}/*"
  };`;
}
