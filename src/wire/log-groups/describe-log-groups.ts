import { setImmediate } from 'node:timers/promises';

import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import { publicErrorOf } from '#aws/error-meaning.ts';
import { inChunks } from '#paging/in-chunks.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import { awsError } from '../protocol/aws-error.ts';
import type { AskedLogGroups } from '../protocol/requests.ts';

/** The answer to DescribeLogGroups. */
interface ShownLogGroups {
  logGroups: readonly object[];
  nextToken?: string;
}

/** Describes the log groups of a target that the caller may export to some destination, as AWS shows them. */
export type DescribeLogGroupsOfCaller = (
  request: CallerRequest,
  target: OpenTarget,
  asked: AskedLogGroups,
) => Promise<ShownLogGroups>;

// Each decision takes some milliseconds. Fewer: more lines in the audit. More: other requests wait.
const decisionsAtOnce = 10;

/** Makes `DescribeLogGroupsOfCaller`. A page can have fewer log groups than AWS has, or none. */
export function makeDescribeLogGroups(authorizer: Authorizer): DescribeLogGroupsOfCaller {
  return async (request, target, { accountIdentifiers, includeLinkedAccounts, ...query }) => {
    if (accountIdentifiers?.length || includeLinkedAccounts) throw ofOneAccount();
    const ofOthers = query.logGroupIdentifiers?.filter((identifier) => {
      const [arn, , , , accountId] = identifier.split(':');
      return arn === 'arn' && accountId !== target.accountId;
    });
    if (ofOthers?.length) throw ofOneAccount();
    const caller = request.principal.id;
    const page = await target.logs.describeLogGroups(query, { caller }).catch(inWordsOfAws);
    const shown = page.logGroups.map(({ logGroupName }, index) => ({
      logGroupName,
      asSent: page.asSent?.[index] ?? {},
    }));
    const permitted: object[] = [];
    for await (const groups of inChunks(shown, decisionsAtOnce)) {
      const found = authorizer.filterPermitted(request, groups, ({ logGroupName }) => ({
        action: 'CreateExportJob',
        resource: { target, logGroupName },
        isForAnyContext: true,
      }));
      permitted.push(...found.map(({ asSent }) => asSent));
      await setImmediate();
    }
    const { nextToken } = page;
    return { logGroups: permitted, ...(nextToken !== undefined && { nextToken }) };
  };
}

const ofOneAccount = () =>
  awsError(
    'InvalidParameterException',
    'This endpoint describes the log groups of one account. Omit accountIdentifiers, includeLinkedAccounts and the ARNs of other accounts.',
  );

/** Throws the error of AWS about the parameters of the caller as AWS has sent it. */
function inWordsOfAws(problem: unknown): never {
  if (!(problem instanceof Problem) || problem.slug !== 'invalid-parameter') throw problem;
  const said = publicErrorOf('DescribeLogGroups', problem);
  throw said ? awsError(said.code, said.message) : problem;
}
