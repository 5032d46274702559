/** The partition of AWS a Region belongs to, with which its ARNs begin. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  return 'aws';
}

/** The ARN of a log group, as IAM writes it: without the `:*` that AWS's own answers append. */
export function logGroupArn(
  { region, accountId }: { region: string; accountId: string },
  logGroupName: string,
): string {
  return `arn:${partitionOf(region)}:logs:${region}:${accountId}:log-group:${logGroupName}`;
}
