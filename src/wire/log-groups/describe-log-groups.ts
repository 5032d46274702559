import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import { publicErrorOf } from '#aws/error-meaning.ts';
import type { LogGroupPage } from '#aws/log-groups/describe-log-groups.ts';
import type { Database } from '#database/database.ts';
import { makeInstallationReader } from '#export-jobs/store/installation.ts';
import { inChunks } from '#paging/in-chunks.ts';
import { maxDecisionsPerPage } from '#paging/page.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import { awsError } from '../protocol/aws-error.ts';
import type { AskedLogGroups } from '../protocol/requests.ts';
import { openPosition, type Position, sealPosition } from './sealed-token.ts';

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

/** What DescribeLogGroups depends on. */
export interface DescribeLogGroupsOptions {
  authorizer: Authorizer;
  database: Database;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

// Each decision takes some milliseconds. Fewer: more lines in the audit. More: other requests wait.
const decisionsAtOnce = 10;
// As at AWS: the most log groups of one page, and the default.
const perPage = 50;
const maxPages = maxDecisionsPerPage / perPage;
// No page is read later. Shorter: callers that may see few log groups get many short pages. Longer: the last page may
// end after the time limit of the request.
const maxReadMs = 2_000;

/**
 * Makes `DescribeLogGroupsOfCaller`. It reads pages of AWS until its own page is full of permitted log groups, and
 * whether another one follows is known. So its answer does not depend on hidden log groups, unless it ends early.
 */
export function makeDescribeLogGroups(
  options: DescribeLogGroupsOptions,
): DescribeLogGroupsOfCaller {
  const { authorizer, elapsed } = options;
  const readInstallation = makeInstallationReader(options.database);

  return async (request, target, asked) => {
    const { nextToken, limit = perPage, ...filters } = asked;
    const query = withoutOtherAccounts(filters, target.accountId);
    const caller = request.principal.id;
    const { secret } = await readInstallation();
    const boundTo = JSON.stringify([caller, target.name, query]);
    const first = nextToken === undefined ? {} : openPosition(secret, boundTo, nextToken);
    if (!first) throw awsError('InvalidParameterException', 'The specified nextToken is invalid.');
    const permittedQuery = await toPermitted(request, target, query);
    if (!permittedQuery) return { logGroups: [] };

    const endsAt = elapsed() + maxReadMs;
    const shown: NamedLogGroup[] = [];
    const upTo = (position: Position): ShownLogGroups => ({
      logGroups: shown.map(({ asSent }) => asSent),
      nextToken: sealPosition(secret, boundTo, position),
    });
    let { awsToken, after = '' } = first;
    for (let pages = 1; ; pages += 1) {
      const token = awsToken === undefined ? {} : { nextToken: awsToken };
      const page = await target.logs
        .describeLogGroups({ ...permittedQuery, ...token, limit: perPage }, { caller })
        .catch(inWordsOfAws);
      const rest = inOrder(page).filter(({ logGroupName }) => logGroupName > after);
      for await (const logGroup of permittedOf(request, target, rest)) {
        if (shown.length === limit)
          return upTo({ ...(awsToken !== undefined && { awsToken }), after });
        shown.push(logGroup);
        after = logGroup.logGroupName;
      }
      awsToken = page.nextToken;
      if (awsToken === undefined) return { logGroups: shown.map(({ asSent }) => asSent) };
      if (pages === maxPages || elapsed() > endsAt) return upTo({ awsToken });
    }
  };

  /** The query without hidden names; undefined if no policy permits a log group that it can find. */
  async function toPermitted<Query extends Pick<AskedLogGroups, Filter>>(
    request: CallerRequest,
    target: OpenTarget,
    query: Query,
  ): Promise<Query | undefined> {
    const { logGroupIdentifiers, logGroupNamePrefix, logGroupNamePattern } = query;
    // AWS refuses the other combinations, whatever the names are.
    if (logGroupNamePrefix !== undefined && logGroupNamePattern !== undefined) return query;
    if (logGroupIdentifiers === undefined) {
      const isPossible = authorizer.mayPermit(
        request,
        'CreateExportJob',
        target,
        logGroupNamePrefix,
      );
      return isPossible ? query : undefined;
    }
    const named = logGroupIdentifiers.map((identifier) => ({
      identifier,
      logGroupName: nameOf(identifier),
    }));
    const permitted = await Array.fromAsync(permittedOf(request, target, named));
    if (permitted.length === 0) return undefined;
    return { ...query, logGroupIdentifiers: permitted.map(({ identifier }) => identifier) };
  }

  async function* permittedOf<Item extends { logGroupName: string }>(
    request: CallerRequest,
    target: OpenTarget,
    items: readonly Item[],
  ): AsyncGenerator<Item> {
    for await (const chunk of inChunks(items, decisionsAtOnce)) {
      yield* authorizer.filterPermitted(request, chunk, ({ logGroupName }) => ({
        action: 'CreateExportJob',
        resource: { target, logGroupName },
        isForAnyContext: true,
      }));
    }
  }
}

type Filter = 'logGroupIdentifiers' | 'logGroupNamePrefix' | 'logGroupNamePattern';

/** A log group, and all members that AWS has sent. */
interface NamedLogGroup {
  logGroupName: string;
  asSent: object;
}

function inOrder({ logGroups, asSent }: LogGroupPage): NamedLogGroup[] {
  return logGroups
    .map(({ logGroupName }, index) => ({ logGroupName, asSent: asSent?.[index] ?? {} }))
    .sort((one, other) => (one.logGroupName < other.logGroupName ? -1 : 1));
}

/** The name in an identifier: a name or an ARN. */
function nameOf(identifier: string): string {
  return (identifier.startsWith('arn:') ? identifier.split(':')[6] : identifier) ?? '';
}

/** @throws an `AwsError` if the query is about other accounts */
function withoutOtherAccounts(
  { accountIdentifiers, includeLinkedAccounts, ...query }: AskedLogGroups,
  ownAccountId: string,
) {
  const ofOthers = query.logGroupIdentifiers?.filter((identifier) => {
    const [arn, , , , accountId] = identifier.split(':');
    return arn === 'arn' && accountId !== ownAccountId;
  });
  if (!accountIdentifiers?.length && !includeLinkedAccounts && !ofOthers?.length) return query;
  throw awsError(
    'InvalidParameterException',
    'This endpoint describes the log groups of one account. Omit accountIdentifiers, includeLinkedAccounts and the ARNs of other accounts.',
  );
}

/** Throws the error of AWS about the parameters of the caller as AWS has sent it. */
function inWordsOfAws(problem: unknown): never {
  if (!(problem instanceof Problem) || problem.slug !== 'invalid-parameter') throw problem;
  const said = publicErrorOf('DescribeLogGroups', problem);
  throw said ? awsError(said.code, said.message) : problem;
}
