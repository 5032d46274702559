/** The parameters of DescribeLogGroups. A page has at most 50 log groups. */
export interface DescribeLogGroups {
  logGroupNamePrefix?: string;
  nextToken?: string;
  limit?: number;
}

/** A page of log groups, ordered by name. `storedBytes` is absent where AWS leaves it out. */
export interface LogGroupPage {
  logGroups: { logGroupName: string; storedBytes?: number }[];
  nextToken?: string;
  awsRequestId?: string | undefined;
}
