import type {
  CedarValueJson,
  EntityJson,
  StatefulAuthorizationCall,
} from '@cedar-policy/cedar-wasm/nodejs';

import { logGroupArn } from '#aws/arn.ts';
import { exactDigits } from '#validation/int64.ts';
import type { Principal } from '../../principal.ts';
import { type Action, actions, policyGroupOf } from '../action.ts';
import type { Circumstances, Question, Resource } from '../authorizer.ts';

/** A question as a Cedar request. */
export type CedarRequest = Pick<
  StatefulAuthorizationCall,
  'principal' | 'action' | 'resource' | 'context' | 'entities'
>;

/**
 * Makes the function that turns questions into Cedar requests. The entity of a caller is made anew: Cedar reads it for
 * each decision, which takes far longer. Cached, it would take as much memory as the caller itself.
 */
export function makeCedarRequests(): (principal: Principal, question: Question) => CedarRequest {
  const actionEntities = Object.fromEntries(
    (Object.keys(actions) as Action[]).map((name) => [
      name,
      toEntity('Action', name, {}, [{ type: 'Action', id: policyGroupOf(name) }]),
    ]),
  ) as Record<Action, EntityJson>;

  return (principal, { action, resource, context = {} }) => {
    const entities = [toCaller(principal), actionEntities[action], toResource(action, resource)];
    const [callerId, actionId, resourceId] = entities.map(({ uid }) => uid) as [Uid, Uid, Uid];
    return {
      principal: callerId,
      action: actionId,
      resource: resourceId,
      context: toContext(context),
      entities,
    };
  };
}

/** The unique id of a Cedar entity. */
export type Uid = EntityJson['uid'];

/** The id of the entity of a caller. */
export const callerUid = ({ id }: Principal): Uid => ({ type: 'Caller', id });

/** The id of the entity of a group of the caller's issuer. */
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

// If AWS omits the log group of a task, its name is empty text here. Only the pattern "*" matches empty
// text, so only callers with access to all log groups may see the task.
function toResource(action: Action, resource: Resource): EntityJson {
  const { target, logGroupName = '', webhookEndpoint } = resource;
  const { name, accountId: account, region } = target;
  if (webhookEndpoint) {
    const { origin } = webhookEndpoint;
    return toEntity('WebhookEndpoint', origin, { name: origin, account, region });
  }
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

// The Cedar binding uses JSON.stringify, so 64-bit integers stay exact and undefined members disappear.
function toContext({ from, to, ...rest }: Circumstances): CedarRequest['context'] {
  return {
    ...rest,
    ...(from !== undefined && { from: exactDigits(from) }),
    ...(to !== undefined && { to: exactDigits(to) }),
  } as Record<string, CedarValueJson>;
}
