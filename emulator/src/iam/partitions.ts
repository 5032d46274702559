/** A partition of AWS: the first part of its ARNs, and what the names of its hosts end in. */
export interface Partition {
  name: string;
  suffix: string;
}

/** By how the names of their Regions begin; every other Region is in the partition `aws`. */
const partitions: readonly [regions: string, partition: Partition][] = [
  ['cn-', { name: 'aws-cn', suffix: 'amazonaws.com.cn' }],
  ['us-gov-', { name: 'aws-us-gov', suffix: 'amazonaws.com' }],
  ['eusc-', { name: 'aws-eusc', suffix: 'amazonaws.eu' }],
  ['us-iso-', { name: 'aws-iso', suffix: 'c2s.ic.gov' }],
  ['us-isob-', { name: 'aws-iso-b', suffix: 'sc2s.sgov.gov' }],
  ['eu-isoe-', { name: 'aws-iso-e', suffix: 'cloud.adc-e.uk' }],
  ['us-isof-', { name: 'aws-iso-f', suffix: 'csp.hci.ic.gov' }],
];

/** The partition of a Region. */
export function partitionOf(region: string): Partition {
  const found = partitions.find(([regions]) => region.startsWith(regions));
  return found?.[1] ?? { name: 'aws', suffix: 'amazonaws.com' };
}

/** The ARN of a bucket in a Region; with a key, of an object in it. */
export function bucketArn(
  { region, name }: { region: string; name: string },
  key?: string,
): string {
  return `arn:${partitionOf(region).name}:s3:::${name}${key === undefined ? '' : `/${key}`}`;
}

/**
 * The service principals of CloudWatch Logs in a Region. In the partition `aws` the Regional one is
 * documented and the plain one recorded. Elsewhere public sources disagree about the suffix, so
 * which ones count is an option.
 */
export function logsPrincipals(
  region: string,
  elsewhere: 'any' | 'own-suffix' | 'amazonaws.com',
): string[] {
  const { name, suffix } = partitionOf(region);
  const all = [suffix, 'amazonaws.com'];
  const one = elsewhere === 'own-suffix' ? suffix : elsewhere;
  const ends = name === 'aws' || elsewhere === 'any' ? all : [one];
  return ends.flatMap((end) => [`logs.${region}.${end}`, `logs.${end}`]);
}
