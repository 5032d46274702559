import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { makeFolder } from './folder.ts';
import { createBody } from './requests.ts';

/** A target of an organisation: each account has a role, and exports in two Regions. */
export interface OrganisationTarget {
  name: string;
  region: string;
  accountId: string;
  roleArn: string;
}

const regions = ['eu-west-1', 'us-east-1'];

/** The bucket of a target, in its account and Region. */
export function bucketOf({ name }: OrganisationTarget): string {
  return `archive-${name}`;
}

/** The first targets of an organisation. */
export function organisationTargets(count: number): OrganisationTarget[] {
  return Array.from({ length: count }, (_, index) => {
    const region = regions[index % regions.length] ?? '';
    const accountId = String(100_000_000_000 + Math.floor(index / regions.length));
    const roleArn = `arn:aws:iam::${accountId}:role/log-export`;
    return { name: `${accountId}-${region}`, region, accountId, roleArn };
  });
}

/** Writes TARGETS_FILE. Returns its path. */
export function writeTargetsFile(targets: readonly OrganisationTarget[]): string {
  const path = join(makeFolder(), 'targets.json');
  writeFileSync(path, JSON.stringify(targets));
  return path;
}

/** The body of an export job of `hours` slices at a target. */
export function jobBodyAt(target: OrganisationTarget, hours: number) {
  return {
    logGroupNames: [createBody.logGroupName],
    from: createBody.from,
    to: createBody.from + hours * 3_600_000,
    sliceBy: 'hour',
    destination: bucketOf(target),
  };
}
