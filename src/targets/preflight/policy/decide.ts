import { matchPrincipal, type PolicyCaller } from './caller.ts';
import { type ConditionKeys, evaluateConditions } from './condition.ts';
import { matchPattern, matchResource } from './pattern.ts';
import { type PolicyDocument, type PolicyStatement, textsOf } from './policy-document.ts';
import { anyOf, negate, type Truth } from './truth.ts';

/** A request that a policy decides about. */
export interface PolicyRequest {
  caller: PolicyCaller;
  /** Such as s3:PutObject. */
  action: string;
  /** An ARN. */
  resource: string;
  keys: ConditionKeys;
}

/** The decision of one policy, with the statement that makes it. */
export type PolicyDecision =
  | { outcome: 'allowed' }
  /** A statement denies it explicitly. `conditions` are those that hold. */
  | { outcome: 'denied'; statement: string; conditions: string[] }
  /** No statement allows it. `nearest` allows the action to the caller, but `lacks` does not match. */
  | { outcome: 'not-allowed'; nearest?: { statement: string; lacks: string } }
  /** It depends on something that nobody can know here: an element of a statement, if there is one. */
  | { outcome: 'unknown'; statement?: string; because: string };

/** Whether a statement applies to a request, and the element that decides it. */
interface StatementTruth {
  statement: PolicyStatement;
  truth: Truth;
  /** The first element that does not match, or else the first unknown one. */
  decisive: string;
}

/** Decides a request by a policy: an explicit deny wins, and without an allow nothing is allowed. */
function decide(policy: PolicyDocument, request: PolicyRequest): PolicyDecision {
  const all = policy.statements.map((statement) => evaluate(statement, request));
  const denies = all.filter(({ statement }) => statement.isDeny);
  const allows = all.filter(({ statement }) => !statement.isDeny);

  const denial = denies.find(({ truth }) => truth);
  if (denial) return toDenied(denial.statement, request);
  if (!allows.some(({ truth }) => truth !== false)) return toNotAllowed(allows);
  const doubt =
    denies.find(({ truth }) => truth === undefined) ??
    (allows.some(({ truth }) => truth)
      ? undefined
      : allows.find(({ truth }) => truth === undefined));
  if (!doubt) return { outcome: 'allowed' };
  return { outcome: 'unknown', statement: doubt.statement.name, because: doubt.decisive };
}

/**
 * Decides requests that differ only in what AWS does not document. If not all get the same decision, it
 * is unknown.
 */
export function decideAlike(
  policy: PolicyDocument,
  requests: readonly [PolicyRequest, ...PolicyRequest[]],
): PolicyDecision {
  const [first, ...others] = requests.map((request) => decide(policy, request)) as [
    PolicyDecision,
    ...PolicyDecision[],
  ];
  const isAlike = others.every(({ outcome }) => outcome === first.outcome);
  if (isAlike) return first;
  return {
    outcome: 'unknown',
    because: 'the exact names that AWS uses, which it does not document',
  };
}

function toDenied({ name, members }: PolicyStatement, { keys }: PolicyRequest): PolicyDecision {
  const conditions = evaluateConditions(members.Condition, keys).map((one) => one.name);
  return { outcome: 'denied', statement: name, conditions };
}

function toNotAllowed(allows: readonly StatementTruth[]): PolicyDecision {
  const near = allows.find(({ decisive }) => decisive !== 'Action' && decisive !== 'Principal');
  if (!near) return { outcome: 'not-allowed' };
  const { statement, decisive: lacks } = near;
  return { outcome: 'not-allowed', nearest: { statement: statement.name, lacks } };
}

/** Evaluates the elements of a statement, up to the first that does not match. */
function evaluate(statement: PolicyStatement, request: PolicyRequest): StatementTruth {
  const { members } = statement;
  let unknown: string | undefined;
  for (const { truth, name } of elementsOf(members, request)) {
    if (truth === false) return { statement, truth, decisive: name };
    if (truth === undefined) unknown ??= name;
  }
  return { statement, truth: unknown === undefined ? true : undefined, decisive: unknown ?? '' };
}

function* elementsOf(members: PolicyStatement['members'], request: PolicyRequest) {
  const { action, resource, caller, keys } = request;
  const element = (name: string, test: (element: unknown) => Truth) => {
    const negated = members[`Not${name}`];
    return { name, truth: negated === undefined ? test(members[name]) : negate(test(negated)) };
  };
  yield element('Action', (value) =>
    anyOf(textsOf(value).map((one) => matchPattern(action.toLowerCase(), one.toLowerCase()))),
  );
  const principal = element('Principal', (value) => matchPrincipal(value, caller));
  // AWS documents that a NotPrincipal may still match a caller of whom it does not list all names.
  const isExempt = members.NotPrincipal !== undefined && principal.truth === false;
  yield isExempt ? { ...principal, truth: undefined } : principal;
  yield element('Resource', (value) =>
    anyOf(textsOf(value).map((one) => matchResource(resource, one))),
  );
  yield* evaluateConditions(members.Condition, keys);
}
