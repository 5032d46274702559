import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Emulator } from 'cloudwatch-logs-export-emulator/source';

import { firstWindowAt } from '../export-jobs/insert-hourly-job.ts';

/** A target of a cluster. */
export interface ClusterTarget {
  name: string;
  region: string;
  accountId: string;
  /** Absent for targets that use the credentials of the process. */
  roleArn?: string;
}

/** TARGETS_FILE of all replicas. */
export interface TargetsFile {
  path: string;
  write(targets: readonly ClusterTarget[]): void;
  /** Writes a file that is no valid configuration. */
  spoil(): void;
}

const regions = [
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'eu-north-1',
  'eu-south-1',
  'eu-central-1',
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'ca-central-1',
  'sa-east-1',
];

/** Targets in the account of the credentials, each in a Region of its own. */
export function targetsInRegions(count: number): ClusterTarget[] {
  const accountId = '123456789012';
  return regions.slice(0, count).map((region) => ({ name: region, region, accountId }));
}

/** Targets with roles of accounts of their own, in two Regions. */
export function targetsInAccounts(count: number): ClusterTarget[] {
  return Array.from({ length: count }, (_, index) => {
    const accountId = String(100_000_000_000 + index);
    const roleArn = `arn:aws:iam::${accountId}:role/log-export`;
    return { name: `account-${index}`, region: regions[index % 2] ?? '', accountId, roleArn };
  });
}

/** The bucket of a target. */
export const bucketOf = ({ name }: { name: string }) => `archive-${name}`;

/** Adds what exports at the targets need. */
export function seedTargets({ seed }: Emulator, targets: readonly ClusterTarget[]): void {
  for (const target of targets) {
    const { region, accountId } = target;
    seed.logGroup({ accountId, region, logGroupName: '/app' });
    // Every other hour of a job has an event. The others are exported without objects.
    const events = Array.from({ length: 48 }, (_, index) => ({
      timestamp: firstWindowAt + index * 7_200_000,
      message: `event ${index}`,
    }));
    seed.logEvents({ accountId, region, logGroupName: '/app', logStreamName: 'web/1', events });
    seed.bucket({ accountId, region, bucket: bucketOf(target) });
  }
}

/** Makes TARGETS_FILE in a folder. A change replaces it at once, so that nobody reads half of it. */
export function makeTargetsFile(folder: string): TargetsFile {
  const path = join(folder, 'targets.json');
  const replace = (text: string) => {
    writeFileSync(`${path}.next`, text);
    renameSync(`${path}.next`, path);
  };
  return {
    path,
    write: (targets) => replace(JSON.stringify(targets)),
    spoil: () => replace('[{ "name": "account-0" '),
  };
}
