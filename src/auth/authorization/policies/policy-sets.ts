import type {
  ActionConstraint,
  EntityUidJson,
  PolicyJson,
  PrincipalConstraint,
  ResourceConstraint,
} from '@cedar-policy/cedar-wasm/nodejs';

import { evictOldest } from '#caching/bounded-map.ts';
import type { Principal } from '../../principal.ts';
import { type Action, policyGroupOf } from '../action.ts';
import { callerUid, groupUid, type Uid } from './cedar-request.ts';
import { canApplyToNames } from './log-group-names.ts';
import type { Cedar } from './parse-policies.ts';

/** The policies that can apply to a caller. */
export interface PolicySet {
  /** The name of the set in Cedar. @throws the error of Cedar if it refuses the set */
  name(): string;
  /** The texts of its policies, by id. */
  texts(): Record<string, string>;
  /** Whether any of them depends on this aspect of a question. */
  dependsOn(aspect: string): boolean;
  /**
   * Whether any of them may permit this action in some circumstances, at the target of this name if given, on a log
   * group whose name begins with a prefix if given.
   */
  mayPermit(action: Action, target?: string, logGroupNamePrefix?: string): boolean;
}

// A set has a few policies; typically there is one set per team. Lower: with many teams, sets are parsed
// again and again. Higher: large sets take memory.
const maxSets = 256;

/**
 * Makes the function that finds the policies for a caller. Cedar evaluates every policy of a set for each
 * decision, so a set omits policies whose scope names another caller or group. A set is parsed at its
 * first use.
 */
export function makePolicySets(cedar: Cedar, prefix: string, byId: ReadonlyMap<string, string>) {
  const policies = [...byId].map(([id, text]) => ({ id, text, ...scopeOf(cedar, text) }));
  const setOf = new WeakMap<Principal, PolicySet>();
  const names = new Map<string, string>(); // of parsed sets, oldest first
  let parsed = 0;

  function parse(ids: string): string {
    const known = names.get(ids);
    if (known !== undefined) return known;
    evictOldest(names, maxSets - 1); // the new set takes over the name of the oldest
    const name = `${prefix}-${parsed % maxSets}`;
    const staticPolicies = Object.fromEntries(
      (JSON.parse(ids) as string[]).map((id) => [id, byId.get(id) ?? '']),
    );
    const answer = cedar.preparsePolicySet(name, { staticPolicies });
    if (answer.type === 'failure') throw new Error(answer.errors[0]?.message);
    parsed += 1;
    names.set(ids, name);
    return name;
  }

  // Apart from makeSet, whose functions keep its variables: the names of all groups of a caller take memory.
  function applicableTo(principal: Principal) {
    const uids = [
      callerUid(principal),
      ...principal.groups.map((group) => groupUid(principal, group)),
    ];
    const own = new Set(uids.map(keyOf));
    return policies.filter(
      ({ principalKey }) => principalKey === undefined || own.has(principalKey),
    );
  }

  function makeSet(ids: string, applicable: typeof policies): PolicySet {
    const aspects = new Set(applicable.flatMap(({ dependsOn }) => dependsOn));
    return {
      name: () => parse(ids),
      texts: () => Object.fromEntries(applicable.map(({ id, text }) => [id, text])),
      dependsOn: (aspect) => aspects.has(everything) || aspects.has(aspect),
      mayPermit: (...asked) => applicable.some(({ permits }) => permits(...asked)),
    };
  }

  return (principal: Principal): PolicySet => {
    const known = setOf.get(principal);
    if (known) return known;
    const applicable = applicableTo(principal);
    const set = makeSet(JSON.stringify(applicable.map(({ id }) => id)), applicable);
    setOf.set(principal, set);
    return set;
  };
}

/** Stands for all aspects of a question. */
const everything = '*';
/** The aspect of the log group; the others are circumstances. */
const logGroup = 'logGroupName';

/** What a policy applies to, read from its syntax tree. */
interface PolicyScope {
  /** The caller or group it applies to; undefined means everybody. */
  principalKey: string | undefined;
  /** The aspects of a question it depends on. */
  dependsOn: string[];
  /** Whether it can permit what `PolicySet.mayPermit` asks. */
  permits: PolicySet['mayPermit'];
}

function scopeOf(cedar: Cedar, text: string): PolicyScope {
  const parsed = cedar.policyToJson(text);
  if (parsed.type === 'failure') {
    return { principalKey: undefined, dependsOn: [everything], permits: () => true };
  }
  const { effect, principal, action, resource, conditions }: PolicyJson = parsed.json;
  const uid = uidOf(principal);
  return {
    principalKey: uid && keyOf(uid),
    dependsOn: [...aspectsIn(conditions), ...(isOfAnyLogGroup(resource) ? [] : [logGroup])],
    permits: (requested, target, prefix = '') =>
      effect === 'permit' &&
      isOfAction(action, requested) &&
      canBeAt(resource, target) &&
      canApplyToNames(parsed.json, prefix),
  };
}

function isOfAction(scope: ActionConstraint, action: Action): boolean {
  if (scope.op === 'All') return true;
  const named = 'entities' in scope ? scope.entities : 'entity' in scope ? [scope.entity] : [];
  return named.map(idOf).some((id) => id === action || id === policyGroupOf(action));
}

// A scope that names a log group can apply to any target.
function canBeAt(scope: ResourceConstraint, target: string | undefined): boolean {
  const place = scope.op === 'is' ? scope.in : scope.op === 'All' ? undefined : scope;
  if (!place || !('entity' in place)) return true;
  const { type, id } = plain(place.entity);
  return target === undefined || type !== 'Target' || id === target;
}

/** Whether a scope treats all log groups of a target alike. */
function isOfAnyLogGroup(scope: ResourceConstraint): boolean {
  const place = scope.op === 'is' ? scope.in : scope;
  if (place === undefined || ('op' in place && place.op === 'All')) return true;
  return 'entity' in place && plain(place.entity).type === 'Target';
}

function uidOf(scope: PrincipalConstraint): Uid | undefined {
  if (scope.op === 'is') return scope.in && 'entity' in scope.in ? scope.in.entity : undefined;
  return scope.op !== 'All' && 'entity' in scope ? scope.entity : undefined;
}

const plain = (uid: EntityUidJson) => ('__entity' in uid ? uid.__entity : uid);
const idOf = (uid: EntityUidJson) => plain(uid).id;

function keyOf(uid: Uid): string {
  const { type, id } = plain(uid);
  return `${type} ${id}`;
}

/**
 * Returns the aspects that an expression depends on, read from its syntax tree: members of the context,
 * and the log group if it uses the resource.
 */
function aspectsIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  if ('Var' in node && typeof node.Var === 'string') {
    // A record may have a member `Var`, too; only a variable has text in it.
    return { context: [everything], resource: [logGroup] }[node.Var] ?? [];
  }
  return Object.entries(node).flatMap(([operator, operand]) => {
    const { left, attr } = (operand ?? {}) as {
      left?: { Var?: unknown };
      attr?: string | string[];
    };
    const isOfContext = (operator === '.' || operator === 'has') && left?.Var === 'context';
    return isOfContext && attr !== undefined
      ? [[attr].flat()[0] ?? everything]
      : aspectsIn(operand);
  });
}
