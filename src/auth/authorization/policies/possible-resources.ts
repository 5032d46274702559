import type {
  EntityUidJson,
  Expr,
  ExprNoExt,
  PolicyJson,
  ResourceConstraint,
} from '@cedar-policy/cedar-wasm/nodejs';

/** The log groups that a question is about: those whose name begins with `prefix`, of `target` or of any target. */
interface SoughtLogGroups {
  target: string | undefined;
  prefix: string;
}

/**
 * Whether a policy can apply to one of some log groups, or to their target, read from its syntax tree. `false` is
 * certain. Only names that the policy itself contains count: what it computes may be any name.
 */
export function canApplyTo(
  { resource, conditions }: Pick<PolicyJson, 'resource' | 'conditions'>,
  sought: SoughtLogGroups,
): boolean {
  return (
    isPossibleScope(resource, sought) &&
    conditions.every(({ kind, body }) => kind === 'unless' || canBeTrue(body, sought))
  );
}

function isPossibleScope(scope: ResourceConstraint, sought: SoughtLogGroups): boolean {
  const place = scope.op === 'is' ? scope.in : scope.op === 'All' ? undefined : scope;
  return !place || !('entity' in place) || canBeEntity(place.entity, sought);
}

/** Whether a condition can be true for one of the log groups, or for their target. */
function canBeTrue(expression: Expr, sought: SoughtLogGroups): boolean {
  const node = expression as ExprNoExt; // a function is none of these
  const isPossible = (operand: Expr) => canBeTrue(operand, sought);
  const canBeOneOf = (operand: Expr, set: Expr) =>
    elementsOf(set).some((element) => canEqual(operand, element, sought));
  if ('&&' in node) return isPossible(node['&&'].left) && isPossible(node['&&'].right);
  if ('||' in node) return isPossible(node['||'].left) || isPossible(node['||'].right);
  if ('like' in node) return !isName(node.like.left) || canMatch(node.like.pattern, sought.prefix);
  if ('==' in node) {
    const { left, right } = node['=='];
    return canEqual(left, right, sought) && canEqual(right, left, sought);
  }
  if ('in' in node) return canBeOneOf(node.in.left, node.in.right);
  if ('is' in node) return !node.is.in || canBeOneOf(node.is.left, node.is.in);
  if ('contains' in node) return canBeOneOf(node.contains.right, node.contains.left);
  return true;
}

/** The elements of a set; otherwise the expression itself, which may be an entity. */
const elementsOf = (set: Expr): readonly Expr[] => ('Set' in set ? (set as ExprSet).Set : [set]);

type ExprSet = Extract<ExprNoExt, { Set: unknown }>;

function canEqual(one: Expr, other: Expr, sought: SoughtLogGroups): boolean {
  if (!('Value' in other)) return true;
  const { Value: value } = other;
  if (isName(one)) return typeof value !== 'string' || value.startsWith(sought.prefix);
  if (isTargetName(one)) return sought.target === undefined || value === sought.target;
  if (!isResource(one)) return true;
  const isEntity = typeof value === 'object' && value !== null && '__entity' in value;
  return !isEntity || canBeEntity(value as EntityUidJson, sought);
}

/** Whether a pattern matches a text that begins with a prefix. */
function canMatch(pattern: readonly ('Wildcard' | { Literal: string })[], prefix: string): boolean {
  const end = pattern.indexOf('Wildcard');
  const literals = end < 0 ? pattern : pattern.slice(0, end);
  const head = literals.map((part) => (part === 'Wildcard' ? '' : part.Literal)).join('');
  return head.startsWith(prefix) || (end >= 0 && prefix.startsWith(head));
}

/** Whether an entity is the target, or such a log group, or neither. The id of a log group is its ARN. */
function canBeEntity(uid: EntityUidJson, { target, prefix }: SoughtLogGroups): boolean {
  const { type, id } = '__entity' in uid ? uid.__entity : uid;
  if (type === 'Target') return target === undefined || id === target;
  if (type !== 'LogGroup') return true;
  return id.split(':').slice(arnPartsBeforeName).join(':').startsWith(prefix);
}

const arnPartsBeforeName = 6;

const isResource = (node: Expr) => 'Var' in node && node.Var === 'resource';
const isName = (expression: Expr) => attributeIn(expression) === 'name';
const isTargetName = (expression: Expr) => attributeIn(expression) === 'target';

/** The attribute of the resource that an expression is; undefined if it is none. */
function attributeIn(expression: Expr): string | undefined {
  const node = expression as ExprNoExt;
  return '.' in node && isResource(node['.'].left) ? node['.'].attr : undefined;
}
