import type { Authorizer, CallerRequest, Question } from '#auth/authorization/authorizer.ts';
import { Problem } from '#problems/problem.ts';
import { requireEach } from './export-question.ts';

/** The log groups of an export: named, or all whose names begin with a prefix. */
interface LogGroupSelection {
  logGroupNames?: readonly string[] | null | undefined;
  logGroupNamePrefix?: string | null | undefined;
}

/** How log groups are decided. */
interface LogGroupRules {
  authorizer: Authorizer;
  request: CallerRequest;
  toQuestion: (logGroupName: string) => Question;
  /** Throws a Problem if AWS cannot export a log group. Default: it can export all of them. */
  requireFit?: (logGroupName: string) => void;
}

/**
 * Requires a permit for each log group of a selection, and lists them. A prefix is decided like a name before `list` is
 * called: not every caller may learn its log groups. Then each log group that begins with it is decided, too. Returns
 * what was listed, and the ids of the policies that decided about the log groups.
 * @throws Problem not-permitted, or what `requireFit` and `list` throw
 */
export async function requireLogGroups<Listed>(
  { logGroupNames, logGroupNamePrefix }: LogGroupSelection,
  { authorizer, request, toQuestion, requireFit = () => {} }: LogGroupRules,
  list: () => Promise<Listed>,
  namesOf: (listed: Listed) => readonly string[],
): Promise<{ listed: Listed; policies: string[] }> {
  if (logGroupNames) {
    for (const name of logGroupNames) requireFit(name);
    const policies = await requireEach(authorizer, request, logGroupNames, toQuestion);
    return { listed: await list(), policies };
  }
  const prefix = logGroupNamePrefix ?? ''; // the schemas require one of the two
  authorizer.require(request, toQuestion(prefix));
  const listed = await list();
  function* fittingNames() {
    for (const name of namesOf(listed)) {
      yield name;
      requireFit(name); // only once it is permitted: the caller may not know this name
    }
  }
  const refusal = () => prefixNotPermitted(prefix);
  const policies = await requireEach(authorizer, request, fittingNames(), toQuestion, refusal);
  return { listed, policies };
}

/** The refusal of a prefix. It names no log group, because the caller may not know one of them. */
function prefixNotPermitted(prefix: string): Problem {
  const detail = `No policy permits you to export all log groups whose name begins with ${prefix}.`;
  return new Problem('not-permitted', detail);
}
