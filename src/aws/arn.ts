import { partitionOf } from './endpoint/partition.ts';

/** The ARN of a log group as IAM writes it, without the `:*` that CloudWatch Logs appends. */
export function logGroupArn(
  { region, accountId }: { region: string; accountId: string },
  logGroupName: string,
): string {
  return `arn:${partitionOf(region).name}:logs:${region}:${accountId}:log-group:${logGroupName}`;
}
