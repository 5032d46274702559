import { type ConditionContext, conditionsHold, textsOf } from './conditions.ts';
import { isLike } from './pattern.ts';

/** A parsed policy document. Its members may have any type. */
export interface Policy {
  /** The original text. */
  document: string;
  statements: Statement[];
}

type Statement = Record<string, unknown>;

/** A question to a policy: may this principal perform the action on the resource? */
export interface Question {
  /**
   * All names of the caller: service principals, or ARNs and the account. 'holder' stands for the
   * holder of a session, whose policy has no principals.
   */
  principals: { type: 'Service' | 'AWS'; names: readonly string[] } | 'holder';
  action: string;
  resource: string;
  context: ConditionContext;
}

/** Reads a policy document. Returns undefined for text that is not JSON or has no statements. */
export function readPolicy(document: string): Policy | undefined {
  try {
    const { Statement: statements } = JSON.parse(document) as { Statement?: unknown };
    const listed = [statements].flat();
    const isSound = listed.every((one) => typeof one === 'object' && one !== null);
    return isSound ? { document, statements: listed as Statement[] } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a policy allows it: some statement allows it and none denies it. */
export function isAllowed(policy: Policy, question: Question): boolean {
  return findEffect(policy, question) === 'Allow';
}

/** Returns the effect of a policy. A statement that denies it wins. Without a statement there is none. */
export function findEffect(
  { statements }: Policy,
  question: Question,
): 'Allow' | 'Deny' | undefined {
  const effects = statements.filter((one) => applies(one, question)).map((one) => one.Effect);
  if (effects.includes('Deny')) return 'Deny';
  return effects.includes('Allow') ? 'Allow' : undefined;
}

/** Whether an action matches a pattern such as `s3:Get*`. Case is ignored. */
export function isActionLike(action: string, pattern: string): boolean {
  return isLike(action.toLowerCase(), pattern.toLowerCase());
}

function applies(statement: Statement, question: Question): boolean {
  const matches = (element: string, test: (value: unknown) => boolean) =>
    statement[`Not${element}`] === undefined
      ? test(statement[element])
      : !test(statement[`Not${element}`]);
  return (
    (question.principals === 'holder' ||
      matches('Principal', (value) => isPrincipal(value, question.principals))) &&
    matches('Action', (value) =>
      textsOf(value).some((pattern) => isActionLike(question.action, pattern)),
    ) &&
    matches('Resource', (value) =>
      textsOf(value).some((glob) => isLike(question.resource, glob)),
    ) &&
    conditionsHold(statement.Condition, question.context)
  );
}

/** `"*"` and `{"AWS": "*"}` are the same: everyone, also services (documentation). */
function isPrincipal(element: unknown, caller: Question['principals']): boolean {
  if (caller === 'holder' || element === '*') return true;
  if (typeof element !== 'object' || element === null) return false;
  const listed = new Map(Object.entries(element).map(([type, names]) => [type, textsOf(names)]));
  if (listed.get('AWS')?.includes('*')) return true;
  const names = listed.get(caller.type) ?? [];
  return names.some((name) => name === '*' || caller.names.includes(name));
}
