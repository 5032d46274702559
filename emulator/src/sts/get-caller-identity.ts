import type { QueryOutcome } from '../wire/xml/query.ts';
import type { StsContext } from './operation.ts';

/** GetCallerIdentity: the account of an access key, or the assumed role of a session. */
export function getCallerIdentity(_form: unknown, { caller }: StsContext): QueryOutcome {
  return { result: { UserId: caller.userId, Account: caller.accountId, Arn: caller.arn } };
}
