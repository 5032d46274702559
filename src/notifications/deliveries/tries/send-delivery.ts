import type { Principal } from '#auth/principal.ts';
import type { Database } from '#database/database.ts';
import { readSink } from '../../outbox/sinks-in-use.ts';
import { type SinkOptions, sendToSink } from '../../sinks/send-to-sink.ts';
import type { ClaimedDelivery } from './claim-delivery.ts';
import type { DeliveryResult, SendWebhook } from './delivery-result.ts';

/** The kind of a destination. */
export type DestinationKind = 'webhook' | 'sns' | 'event-bus';

/** Returns the kind of a destination. */
export const kindOf = (destination: string): DestinationKind =>
  readSink(destination)?.kind ?? 'webhook';

/** What sending needs. */
export interface DeliveryOptions extends SinkOptions {
  database: Database;
  sendWebhook: SendWebhook;
}

/** The result of a try, and where it went. */
export interface SentDelivery {
  result: DeliveryResult;
  /** The URL of a webhook endpoint. */
  url?: string;
  /** What the log says of the receiver: no path of a URL, which can be a secret. */
  receiver: object;
}

/**
 * Sends a delivery to its destination, once. `undefined` if the endpoint was deleted or disabled: then its pending
 * deliveries end.
 */
export async function sendDelivery(
  options: DeliveryOptions,
  claim: ClaimedDelivery,
): Promise<SentDelivery | undefined> {
  const sink = readSink(claim.destination);
  if (sink) {
    const receiver = { target: sink.target, destination: sink.kind };
    return { receiver, result: await sendToSink(options, sink, claim) };
  }
  const { database, sendWebhook } = options;
  const endpoint = await database.queries
    .selectFrom('webhookEndpoints')
    .select(['url', 'principal', 'secret', 'previousSecret', 'previousSecretUntil', 'disabledAt'])
    .where('id', '=', claim.destination)
    .executeTakeFirst();
  if (!endpoint || endpoint.disabledAt !== null) return undefined;
  const { url, secret, previousSecret, previousSecretUntil } = endpoint;
  const isRotating = previousSecret !== null && (previousSecretUntil ?? 0) > claim.triedAt;
  const secrets = isRotating ? [secret, previousSecret] : [secret];
  const message = { id: claim.eventId, at: claim.triedAt, body: claim.body };
  const receiver = { endpointId: claim.destination, origin: URL.parse(url)?.origin };
  const principal = JSON.parse(endpoint.principal) as Principal;
  const sentTo = { id: claim.destination, principal, url, secrets };
  return { receiver, url, result: await sendWebhook(sentTo, message) };
}
