import type {
  ActionConstraint,
  EntityUidJson,
  PolicyJson,
  PrincipalConstraint,
  ResourceConstraint,
} from '@cedar-policy/cedar-wasm/nodejs';

import { setAsNewest } from '#caching/bounded-map.ts';
import type { Principal } from '../../principal.ts';
import { type Action, policyGroupOf } from '../action.ts';
import { callerUid, groupUid, type Uid } from './cedar-request.ts';
import type { Cedar } from './parse-policies.ts';
import type { ParsedSets } from './parsed-sets.ts';
import { canApplyTo } from './possible-resources.ts';

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

/** The policies of one version. */
export interface PolicySets {
  /** Returns the policies that can apply to a caller. */
  of(principal: Principal): PolicySet;
  /**
   * The set of all policies. Its decisions are the same for every caller. It costs a microsecond for each policy, but
   * no set of the caller alone is parsed.
   */
  all: Pick<PolicySet, 'name'>;
}

// Typically there is one set per team. Lower: more callers have a copy of their own. Higher: unused sets take memory.
const maxShared = 256;

/**
 * Makes the policy sets of a version. Cedar evaluates every policy of a set for each decision, so a set omits policies
 * whose scope names another caller or group. A set is parsed at its first use.
 */
export function makePolicySets(
  cedar: Cedar,
  parsedSets: ParsedSets,
  { version, byId }: { version: number; byId: ReadonlyMap<string, string> },
): PolicySets {
  const policies = [...byId].map(([id, text]) => ({ id, text, ...scopeOf(cedar, text) }));
  const setOf = new WeakMap<Principal, PolicySet>();
  const shared = new Map<string, PolicySet>();

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

  function makeSet(key: string, applicable: typeof policies): PolicySet {
    const aspects = new Set(applicable.flatMap(({ dependsOn }) => dependsOn));
    const texts = () => Object.fromEntries(applicable.map(({ id, text }) => [id, text]));
    return {
      name: () => parsedSets.nameOf(key, texts),
      texts,
      dependsOn: (aspect) => aspects.has(everything) || aspects.has(aspect),
      mayPermit: (...asked) => applicable.some(({ permits }) => permits(...asked)),
    };
  }

  return {
    of(principal) {
      const known = setOf.get(principal);
      if (known) return known;
      const applicable = applicableTo(principal);
      const key = JSON.stringify([version, ...applicable.map(({ id }) => id)]);
      const set = shared.get(key) ?? makeSet(key, applicable);
      setAsNewest(shared, key, set, maxShared);
      setOf.set(principal, set);
      return set;
    },
    all: { name: () => parsedSets.nameOfAll(version, () => Object.fromEntries(byId)) },
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
      canApplyTo(parsed.json, { target, prefix }),
  };
}

function isOfAction(scope: ActionConstraint, action: Action): boolean {
  if (scope.op === 'All') return true;
  const named = 'entities' in scope ? scope.entities : 'entity' in scope ? [scope.entity] : [];
  return named.map(idOf).some((id) => id === action || id === policyGroupOf(action));
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
