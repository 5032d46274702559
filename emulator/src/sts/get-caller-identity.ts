import type { StsContext, StsOutcome } from './operation.ts';

/** GetCallerIdentity: the account of an access key, or the assumed role of a session. */
export function getCallerIdentity(_form: unknown, { caller }: StsContext): StsOutcome {
  return { result: { UserId: caller.userId, Account: caller.accountId, Arn: caller.arn } };
}
