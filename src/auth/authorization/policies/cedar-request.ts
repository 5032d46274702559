import type {
  CedarValueJson,
  EntityJson,
  StatefulAuthorizationCall,
} from '@cedar-policy/cedar-wasm/nodejs';

import { logGroupArn } from '#aws/arn.ts';
import { exactDigits } from '#validation/int64.ts';
import type { Principal } from '../../principal.ts';
import { type Action, actions } from '../action.ts';
import type { Circumstances, Question, Resource } from '../authorizer.ts';

/** A question in the words of the schema. */
export type CedarRequest = Pick<
  StatefulAuthorizationCall,
  'principal' | 'action' | 'resource' | 'context' | 'entities'
>;

/** Makes what puts questions into the words of the schema; what is the same each time is made once. */
export function makeCedarRequests(): (principal: Principal, question: Question) => CedarRequest {
  const callers = new WeakMap<Principal, EntityJson>();
  const actionEntities = Object.fromEntries(
    Object.entries(actions).map(([name, kind]) => [
      name,
      toEntity('Action', name, {}, [{ type: 'Action', id: kind }]),
    ]),
  ) as Record<Action, EntityJson>;

  function callerOf(principal: Principal): EntityJson {
    const known = callers.get(principal) ?? toCaller(principal);
    callers.set(principal, known);
    return known;
  }

  return (principal, { action, resource, context = {} }) => {
    const entities = [callerOf(principal), actionEntities[action], toResource(action, resource)];
    const [caller, act, thing] = entities.map(({ uid }) => uid) as [Uid, Uid, Uid];
    return {
      ...{ principal: caller, action: act, resource: thing },
      context: toContext(context),
      entities,
    };
  };
}

/** What Cedar names an entity by. */
export type Uid = EntityJson['uid'];

/** The entity of a caller. */
export const callerUid = ({ id }: Principal): Uid => ({ type: 'Caller', id });

/** The entity of a group, as the issuer of a caller has it. */
export const groupUid = ({ issuer }: Principal, group: string): Uid => ({
  type: 'Group',
  id: `${issuer}#${group}`,
});

function toEntity(
  type: string,
  id: string,
  attrs: EntityJson['attrs'],
  parents: Uid[] = [],
): EntityJson {
  return { uid: { type, id }, attrs, parents };
}

function toCaller(principal: Principal): EntityJson {
  const { issuer, subject, groups, claims } = principal;
  return {
    uid: callerUid(principal),
    attrs: { issuer, subject, groups: [...groups] },
    parents: groups.map((group) => groupUid(principal, group)),
    tags: claims as Record<string, string[]>,
  };
}

// A task whose log group AWS leaves out is of one without a name: none but who may everything there
// is let near it, for no other pattern than "*" matches the empty text.
function toResource(action: Action, { target, logGroupName = '' }: Resource): EntityJson {
  const { name, accountId: account, region } = target;
  if (action === 'ReadTarget' || action === 'CheckAuthorization') {
    return toEntity('Target', name, { name, account, region });
  }
  return toEntity(
    'LogGroup',
    logGroupArn(target, logGroupName),
    { name: logGroupName, target: name, account, region },
    [{ type: 'Target', id: name }],
  );
}

// Cedar's binding has JSON made of it by JSON.stringify, so exact digits arrive, and what is
// undefined does not.
function toContext({ from, to, ...rest }: Circumstances): CedarRequest['context'] {
  return {
    ...rest,
    ...(from !== undefined && { from: exactDigits(from) }),
    ...(to !== undefined && { to: exactDigits(to) }),
  } as Record<string, CedarValueJson>;
}
