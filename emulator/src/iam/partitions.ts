/** A partition of AWS: its name in ARNs, and the suffix of its host names. */
export interface Partition {
  name: string;
  suffix: string;
}

/** Partitions by the prefix of their Regions. Every other Region is in the partition `aws`. */
const partitions: readonly [regionPrefix: string, partition: Partition][] = [
  ['cn-', { name: 'aws-cn', suffix: 'amazonaws.com.cn' }],
  ['us-gov-', { name: 'aws-us-gov', suffix: 'amazonaws.com' }],
  ['eusc-', { name: 'aws-eusc', suffix: 'amazonaws.eu' }],
  ['us-iso-', { name: 'aws-iso', suffix: 'c2s.ic.gov' }],
  ['us-isob-', { name: 'aws-iso-b', suffix: 'sc2s.sgov.gov' }],
  ['eu-isoe-', { name: 'aws-iso-e', suffix: 'cloud.adc-e.uk' }],
  ['us-isof-', { name: 'aws-iso-f', suffix: 'csp.hci.ic.gov' }],
];

/** Returns the partition of a Region. */
export function partitionOf(region: string): Partition {
  const found = partitions.find(([prefix]) => region.startsWith(prefix));
  return found?.[1] ?? { name: 'aws', suffix: 'amazonaws.com' };
}

/** Returns the ARN of a bucket in a Region, or with a key, of an object in it. */
export function bucketArn(
  { region, name }: { region: string; name: string },
  key?: string,
): string {
  return `arn:${partitionOf(region).name}:s3:::${name}${key === undefined ? '' : `/${key}`}`;
}

/**
 * Returns the service principals of CloudWatch Logs in a Region. In the partition `aws` the Regional
 * principal is documented and the global one recorded. For other partitions public sources disagree
 * about the suffix, so an option decides.
 */
export function logsPrincipals(
  region: string,
  elsewhere: 'any' | 'own-suffix' | 'amazonaws.com',
): string[] {
  const { name, suffix } = partitionOf(region);
  const all = [suffix, 'amazonaws.com'];
  const one = elsewhere === 'own-suffix' ? suffix : elsewhere;
  const suffixes = name === 'aws' || elsewhere === 'any' ? all : [one];
  return suffixes.flatMap((end) => [`logs.${region}.${end}`, `logs.${end}`]);
}
