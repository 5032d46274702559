import { partition } from '@aws-sdk/core/client';

/** A partition of AWS: Regions with accounts, ARNs and host names of their own. */
export interface Partition {
  /** What its ARNs begin with after `arn:`, such as `aws-cn`. */
  name: string;
  /** What the host names of its services end with, without a dot in front. */
  dnsSuffix: string;
  /** The same for endpoints that also speak IPv6. */
  dualStackDnsSuffix: string;
  /** Whether the AWS SDK lists this very Region. Otherwise its partition is a guess by the form of its name. */
  isListed: boolean;
}

/** The partition of a Region, by the table that the AWS SDK brings with it. */
export function partitionOf(region: string): Partition {
  const { name, dnsSuffix, dualStackDnsSuffix, ...facts } = partition(region);
  return { name, dnsSuffix, dualStackDnsSuffix, isListed: 'description' in facts };
}
