/** What a destination prefix is made of for one attempt of one slice. */
export interface PrefixFacts {
  account: string;
  region: string;
  target: string;
  logGroupName: string;
  /** The start of the slice, epoch ms; times in the prefix are UTC. */
  fromAt: number;
  jobId: string;
  attempt: number;
}

/** The destinationPrefix of one attempt: the template with every name in braces filled in. */
export function renderPrefix(template: string, facts: PrefixFacts): string {
  return `${template}${facts.jobId}`;
}
