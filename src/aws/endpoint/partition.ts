import { partition } from '@aws-sdk/core/client';

/** A partition of AWS: Regions with accounts, ARNs and host names of their own. */
export interface Partition {
  /** The second part of its ARNs, such as `aws-cn`. */
  name: string;
  /** The suffix of its host names, without a leading dot. */
  dnsSuffix: string;
  /** The suffix of endpoints that also support IPv6. */
  dualStackDnsSuffix: string;
  /** Whether the AWS SDK lists this Region. Otherwise the partition is derived from the form of its name. */
  isListed: boolean;
}

/** The partition of a Region, from the table of the AWS SDK. */
export function partitionOf(region: string): Partition {
  const { name, dnsSuffix, dualStackDnsSuffix, ...facts } = partition(region);
  return { name, dnsSuffix, dualStackDnsSuffix, isListed: 'description' in facts };
}
