import type {
  EntityUidJson,
  Expr,
  ExprNoExt,
  PolicyJson,
  ResourceConstraint,
} from '@cedar-policy/cedar-wasm/nodejs';

/**
 * Whether a policy can apply to a log group whose name begins with a prefix, read from its syntax tree. `false` is
 * certain. Only names that the policy itself contains count: what it computes may be any name.
 */
export function canApplyToNames(
  { resource, conditions }: Pick<PolicyJson, 'resource' | 'conditions'>,
  prefix: string,
): boolean {
  return (
    isScopeOfNames(resource, prefix) &&
    conditions.every(({ kind, body }) => kind === 'unless' || canBeTrue(body, prefix))
  );
}

function isScopeOfNames(scope: ResourceConstraint, prefix: string): boolean {
  const place = scope.op === 'is' ? scope.in : scope.op === 'All' ? undefined : scope;
  return !place || !('entity' in place) || canBeEntity(place.entity, prefix);
}

/** Whether a condition can be true for a log group whose name begins with a prefix. */
function canBeTrue(expression: Expr, prefix: string): boolean {
  const node = expression as ExprNoExt; // a function is none of these
  const isPossible = (operand: Expr) => canBeTrue(operand, prefix);
  if ('&&' in node) return isPossible(node['&&'].left) && isPossible(node['&&'].right);
  if ('||' in node) return isPossible(node['||'].left) || isPossible(node['||'].right);
  if ('like' in node) return !isName(node.like.left) || canMatch(node.like.pattern, prefix);
  if ('==' in node) {
    const { left, right } = node['=='];
    return canEqual(left, right, prefix) && canEqual(right, left, prefix);
  }
  return true;
}

function canEqual(one: Expr, other: Expr, prefix: string): boolean {
  if (!('Value' in other)) return true;
  const { Value: value } = other;
  if (isName(one)) return typeof value !== 'string' || value.startsWith(prefix);
  if (!isResource(one)) return true;
  const isEntity = typeof value === 'object' && value !== null && '__entity' in value;
  return !isEntity || canBeEntity(value as EntityUidJson, prefix);
}

/** Whether a pattern matches a text that begins with a prefix. */
function canMatch(pattern: readonly ('Wildcard' | { Literal: string })[], prefix: string): boolean {
  const end = pattern.indexOf('Wildcard');
  const literals = end < 0 ? pattern : pattern.slice(0, end);
  const head = literals.map((part) => (part === 'Wildcard' ? '' : part.Literal)).join('');
  return head.startsWith(prefix) || (end >= 0 && prefix.startsWith(head));
}

/** Whether an entity is a log group whose name begins with a prefix, or none. The id of a log group is its ARN. */
function canBeEntity(uid: EntityUidJson, prefix: string): boolean {
  const { type, id } = '__entity' in uid ? uid.__entity : uid;
  if (type !== 'LogGroup') return true;
  return id.split(':').slice(arnPartsBeforeName).join(':').startsWith(prefix);
}

const arnPartsBeforeName = 6;

const isResource = (node: Expr) => 'Var' in node && node.Var === 'resource';
const isName = (expression: Expr) => {
  const node = expression as ExprNoExt;
  return '.' in node && node['.'].attr === 'name' && isResource(node['.'].left);
};
