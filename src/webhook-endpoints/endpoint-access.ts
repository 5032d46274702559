import type { Authorizer, CallerRequest, Question } from '#auth/authorization/authorizer.ts';
import { noTarget } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';
import { findEndpoint, type ReadEndpoint } from './store/read-endpoints.ts';

/** What a caller can do with an existing endpoint. */
type EndpointAction = 'ReadWebhookEndpoint' | 'ChangeWebhookEndpoint';

/** Access to webhook endpoints, decided for the caller. Every operation on an endpoint goes through it. */
export interface EndpointAccess {
  /** @throws Problem not-permitted */
  requireCreate(request: CallerRequest, endpoint: { id: string; url: string }): void;
  /**
   * Finds an endpoint of the caller. Any other endpoint looks like one that does not exist.
   * @throws Problem webhook-endpoint-not-found
   */
  find(request: CallerRequest, action: EndpointAction, endpointId: string): Promise<ReadEndpoint>;
  /** Returns the endpoints of the caller that it may read. */
  filter(request: CallerRequest, endpoints: readonly ReadEndpoint[]): ReadEndpoint[];
}

/** Makes the access to webhook endpoints. */
export function makeEndpointAccess(options: {
  database: Database;
  authorizer: Authorizer;
}): EndpointAccess {
  const { database, authorizer } = options;

  return {
    requireCreate(request, endpoint) {
      authorizer.require(request, toEndpointQuestion('CreateWebhookEndpoint', endpoint, true));
    },

    async find(request, action, endpointId) {
      const found = await findEndpoint(database.queries, database, endpointId);
      const isOwn = found?.endpoint.caller === request.principal.id;
      // An endpoint of another caller is decided like one that does not exist.
      const decided = isOwn ? found.endpoint : { id: endpointId, url: '' };
      const { isPermitted } = authorizer.decide(
        request,
        toEndpointQuestion(action, decided, isOwn),
      );
      if (isOwn && isPermitted) return found;
      const detail = 'No webhook endpoint of yours has this id.';
      throw new Problem('webhook-endpoint-not-found', detail);
    },

    filter: (request, endpoints) =>
      authorizer.filterPermitted(request, endpoints, ({ endpoint }) =>
        toEndpointQuestion('ReadWebhookEndpoint', endpoint, true),
      ),
  };
}

/** Returns the question whether a caller may do something with a webhook endpoint. */
export function toEndpointQuestion(
  action: EndpointAction | 'CreateWebhookEndpoint',
  { id, url }: { id: string; url: string },
  isOwn: boolean,
): Question {
  const origin = URL.parse(url)?.origin ?? '';
  return {
    action,
    resource: { target: noTarget, webhookEndpoint: { id, origin } },
    context: { isOwn },
  };
}
