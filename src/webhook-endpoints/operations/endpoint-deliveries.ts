import { type Static, Type } from '@sinclair/typebox';

import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { defaultPageLimit, type Page, pageParameters, readCursor, toPage } from '#paging/page.ts';
import { statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import { readInstant } from '#validation/instant.ts';
import { invalidRequest } from '#validation/violations.ts';
import { DeliveryState, type ShownDelivery, showDelivery } from '../contract/delivery-view.ts';
import type { ReplayDeliveries } from '../contract/endpoint-bodies.ts';
import type { EndpointAccess } from '../endpoint-access.ts';
import { addTestEvent } from '../store/add-test-event.ts';
import { readDeliveries, replayDelivery, replayFailed } from '../store/deliveries.ts';

/** The filter of a list of deliveries, and its page. */
export type DeliveryListQuery = Static<typeof DeliveryListQuery>;
export const DeliveryListQuery = Type.Object(
  {
    state: Type.Optional({
      ...DeliveryState,
      description: 'Return only deliveries in this state. Default: all states.',
    }),
    ...pageParameters,
  },
  { additionalProperties: false },
);

/** What callers can do with the deliveries of their webhook endpoints. Each throws webhook-endpoint-not-found. */
export interface EndpointDeliveries {
  /** Lists the deliveries of an endpoint, those of the newest events first. */
  list(
    request: CallerRequest,
    endpointId: string,
    query: DeliveryListQuery,
  ): Promise<Page<ShownDelivery>>;
  /**
   * Sends a test event to an endpoint, and returns the id of the event.
   * @throws Problem webhook-endpoint-disabled, rate-limited
   */
  sendTest(request: CallerRequest, endpointId: string): Promise<string>;
  /** Sends an event again. @throws Problem webhook-endpoint-disabled, webhook-delivery-not-found */
  replay(request: CallerRequest, endpointId: string, eventId: string): Promise<ShownDelivery>;
  /** Sends failed deliveries again, and returns their number. @throws Problem webhook-endpoint-disabled */
  replayFailed(request: CallerRequest, endpointId: string, body: ReplayDeliveries): Promise<number>;
}

/** Makes what callers can do with deliveries. */
export function makeEndpointDeliveries(options: {
  database: Database;
  access: EndpointAccess;
  basePath: string;
  newId: () => string;
  /** Makes the deliveries look for work at once. */
  wake: () => void;
}): EndpointDeliveries {
  const { database, access, basePath, newId, wake } = options;

  /** @throws Problem webhook-endpoint-not-found, webhook-endpoint-disabled */
  async function findEnabled(request: CallerRequest, endpointId: string): Promise<void> {
    const { endpoint } = await access.find(request, 'ChangeWebhookEndpoint', endpointId);
    if (endpoint.disabledAt === null) return;
    throw new Problem('webhook-endpoint-disabled', 'This webhook endpoint is disabled.');
  }

  return {
    async list(request, endpointId, { limit = defaultPageLimit, cursor, state }) {
      await access.find(request, 'ReadWebhookEndpoint', endpointId);
      const [at, id] = readCursor(cursor, ['number', 'string']) ?? [];
      const after = at === undefined || id === undefined ? undefined : { at, id };
      const rows = await readDeliveries(database, { endpointId, state, after, limit: limit + 1 });
      const { entries, ...page } = toPage(rows, limit, (row) => [row.at, row.eventId]);
      return { entries: entries.map(showDelivery), ...page };
    },

    async sendTest(request, endpointId) {
      await findEnabled(request, endpointId);
      const eventId = `msg_${newId()}`;
      const url = `${basePath}/webhook-endpoints/${endpointId}`;
      await addTestEvent(database, { eventId, caller: request.principal.id, endpointId, url });
      wake();
      return eventId;
    },

    async replay(request, endpointId, eventId) {
      await findEnabled(request, endpointId);
      const delivery = await replayDelivery(database, endpointId, eventId);
      if (!delivery) {
        const detail = 'No delivery of this webhook endpoint has this event.';
        throw new Problem('webhook-delivery-not-found', detail);
      }
      wake();
      return showDelivery(delivery);
    },

    async replayFailed(request, endpointId, body) {
      await findEnabled(request, endpointId);
      const since = readInstant(body.since);
      if ('detail' in since)
        throw invalidRequest([{ in: 'body', pointer: '#/since', detail: since.detail }]);
      const limit = statedLimits.replaysPerRequest;
      const replayed = await replayFailed(database, { endpointId, since: since.at, limit });
      wake();
      return replayed;
    },
  };
}
