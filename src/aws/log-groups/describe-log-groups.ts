/** The parameters of DescribeLogGroups. A page has at most 50 log groups. */
export interface DescribeLogGroups {
  logGroupNamePrefix?: string;
  /** Exact names, at most 50. AWS allows no other filter beside them. */
  logGroupIdentifiers?: string[];
  /** A text that the names contain. AWS allows no prefix beside it. */
  logGroupNamePattern?: string;
  logGroupClass?: 'STANDARD' | 'INFREQUENT_ACCESS' | 'DELIVERY' | 'ESSENTIALS';
  nextToken?: string;
  limit?: number;
}

/** A log group. Members are absent where AWS leaves them out. */
export interface LogGroup {
  logGroupName: string;
  storedBytes?: number;
  /** STANDARD, INFREQUENT_ACCESS, DELIVERY or ESSENTIALS. */
  logGroupClass?: string;
  /** Epoch ms. */
  creationTime?: number;
  /** After how many days events expire. Absent if they never do. */
  retentionInDays?: number;
  /** The policy of the account that sets the retention. */
  retentionPolicyName?: string;
  isDeletionProtected?: boolean;
}

/** A page of log groups, ordered by name. */
export interface LogGroupPage {
  logGroups: LogGroup[];
  /** The same log groups with all members that AWS has sent. */
  asSent?: readonly object[];
  nextToken?: string;
  awsRequestId?: string | undefined;
}
