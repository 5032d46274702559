import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { KeyUse } from '#export-jobs/store/requests/idempotency-key.ts';
import { Problem } from '#problems/problem.ts';
import type { ChangeWebhookEndpoint, CreateWebhookEndpoint } from '../contract/endpoint-bodies.ts';
import {
  type EndpointWithSecret,
  type ShownEndpoint,
  showEndpoint,
} from '../contract/endpoint-view.ts';
import type { EndpointAccess } from '../endpoint-access.ts';
import { toSecret } from '../signing/sign-message.ts';
import { webhookUrlFault } from '../signing/webhook-url.ts';
import { acceptEndpoint } from '../store/accept-endpoint.ts';
import { changeEndpoint, deleteEndpoint, rotateSecret } from '../store/change-endpoint.ts';
import { findEndpoint, type ReadEndpoint, readEndpoints } from '../store/read-endpoints.ts';

/** What callers can do with their webhook endpoints. */
export interface ManageEndpoints {
  /**
   * Creates an endpoint. The secret is absent if the key was used before.
   * @throws Problem webhook-url-not-allowed, not-permitted, idempotency-key-reused, too-many-webhook-endpoints
   */
  create(
    request: CallerRequest,
    body: CreateWebhookEndpoint,
    keyUse: KeyUse | undefined,
  ): Promise<EndpointWithSecret>;
  /** Lists the endpoints of the caller, the newest first. */
  list(request: CallerRequest): Promise<ShownEndpoint[]>;
  /** @throws Problem webhook-endpoint-not-found */
  show(request: CallerRequest, endpointId: string): Promise<ShownEndpoint>;
  /** @throws Problem webhook-endpoint-not-found, webhook-url-not-allowed, not-permitted */
  change(
    request: CallerRequest,
    endpointId: string,
    patch: ChangeWebhookEndpoint,
  ): Promise<ShownEndpoint>;
  /** @throws Problem webhook-endpoint-not-found */
  rotate(request: CallerRequest, endpointId: string): Promise<EndpointWithSecret>;
  /** Deletes an endpoint, and returns it as it was. @throws Problem webhook-endpoint-not-found */
  delete(request: CallerRequest, endpointId: string): Promise<ShownEndpoint>;
}

/** What managing endpoints needs. */
export interface ManageEndpointsOptions {
  database: Database;
  access: EndpointAccess;
  /** The origins that may use plain HTTP, any port and addresses that are not public. */
  origins: readonly string[];
  /** The public path prefix of all links. */
  basePath: string;
  newId: () => string;
  /** Returns 32 random bytes, for a secret. */
  newKey: () => Buffer;
  /** Makes the deliveries look for work at once. */
  wake: () => void;
}

/** Makes what callers can do with their webhook endpoints. */
export function makeManageEndpoints(options: ManageEndpointsOptions): ManageEndpoints {
  const { database, access, origins, basePath, newId, newKey, wake } = options;
  const show = ({ endpoint, now }: ReadEndpoint) => showEndpoint(endpoint, basePath, now);

  /** Shows an endpoint that the request has changed. */
  async function showNow(endpointId: string): Promise<ShownEndpoint> {
    const found = await findEndpoint(database.queries, database, endpointId);
    if (found) return show(found);
    const detail = 'Another request has deleted the webhook endpoint.';
    throw new Problem('webhook-endpoint-not-found', detail);
  }

  /** @throws Problem webhook-url-not-allowed */
  function readUrl(text: string): string {
    const fault = webhookUrlFault(text, origins);
    if (fault !== undefined) throw new Problem('webhook-url-not-allowed', `\`url\` ${fault}.`);
    return new URL(text).href;
  }

  return {
    async create(request, { url: text, description, eventTypes }, keyUse) {
      const url = readUrl(text);
      const id = newId();
      access.requireCreate(request, { id, url });
      const secret = toSecret(newKey());
      const acceptedId = await acceptEndpoint(database, {
        id,
        request,
        url,
        description: description ?? null,
        eventTypes: eventTypes ? JSON.stringify(eventTypes) : null,
        secret,
        keyUse,
      });
      return { ...(await showNow(acceptedId)), ...(acceptedId === id && { secret }) };
    },

    async list(request) {
      const endpoints = await readEndpoints(database, request.principal.id);
      return access.filter(request, endpoints).map(show);
    },

    async show(request, endpointId) {
      return show(await access.find(request, 'ReadWebhookEndpoint', endpointId));
    },

    async change(request, endpointId, { url: text, description, eventTypes, isEnabled }) {
      const { endpoint } = await access.find(request, 'ChangeWebhookEndpoint', endpointId);
      const url = text === undefined ? endpoint.url : readUrl(text);
      const isMoved = url !== endpoint.url;
      if (isMoved) access.requireCreate(request, { id: endpointId, url });
      const isDisabled = endpoint.disabledAt !== null;
      await changeEndpoint(database, endpointId, {
        principal: JSON.stringify(request.principal),
        ...(isMoved && { url }),
        ...(description !== undefined && { description }),
        ...(eventTypes !== undefined && { eventTypes: eventTypes && JSON.stringify(eventTypes) }),
        ...(isEnabled === true && { disabledAt: null, disabledReason: null, failingSince: null }),
        ...(isEnabled === false &&
          !isDisabled && { disabledAt: database.now(), disabledReason: 'caller' }),
      });
      wake();
      return showNow(endpointId);
    },

    async rotate(request, endpointId) {
      await access.find(request, 'ChangeWebhookEndpoint', endpointId);
      const secret = toSecret(newKey());
      await rotateSecret(database, endpointId, secret);
      return { ...(await showNow(endpointId)), secret };
    },

    async delete(request, endpointId) {
      const found = await access.find(request, 'ChangeWebhookEndpoint', endpointId);
      await deleteEndpoint(database, endpointId);
      return show(found);
    },
  };
}
