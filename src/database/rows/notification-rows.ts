import type { Generated } from 'kysely';

/** A webhook endpoint of a caller. Instants are epoch ms by the clock of the database. */
export interface WebhookEndpointRow {
  id: string;
  caller: string;
  /** The caller at the last change of the endpoint: a `Principal` as JSON. Each message is decided for it. */
  principal: string;
  url: string;
  description: string | null;
  /** The types of events that it gets, as JSON; null for all. */
  eventTypes: string | null;
  /** The secret that signs its messages: `whsec_` and 32 random bytes in base64. */
  secret: string;
  /** The secret before the last rotation. It signs messages, too, until `previousSecretUntil`. */
  previousSecret: string | null;
  previousSecretUntil: number | null;
  createdAt: number;
  /** Grows with every visible change. */
  version: Generated<number>;
  disabledAt: number | null;
  /** Who or what disabled it: `caller`, `gone` or `failing`. */
  disabledReason: string | null;
  /** Since when every try has failed; null if the last one succeeded. */
  failingSince: number | null;
  /** The Idempotency-Key of the request, and the digest of the request; null if it had none. */
  idempotencyKey: string | null;
  digest: string | null;
}

/** An event that is not yet in the deliveries of its destinations: the outbox. */
export interface NotificationEventRow {
  /** The id of the message: the same in every delivery and every try. */
  id: string;
  at: number;
  type: string;
  /** The caller whose endpoints get it. */
  caller: string;
  /** The target of the job or the archive, whose topic and event bus get it; null if none does. */
  target: string | null;
  /** The only endpoint that gets it; null for all of the caller. */
  endpointId: string | null;
  jobId: string | null;
  archiveId: string | null;
  /** The version of the job or the archive. */
  version: number;
  /** The member `data` of the message, as JSON. */
  data: string;
}

/** A topic or an event bus of a target, in the configuration of a replica. One more row says that webhooks are on. */
export interface NotificationSinkRow {
  /** `sns:` or `event-bus:` and the name of the target; `webhooks` for all webhook endpoints. */
  destination: string;
  /** Empty for webhooks. */
  target: string;
  /** When a replica has confirmed it last. */
  confirmedAt: number;
}

/** A message for one destination. */
export interface DeliveryRow {
  /** The id of a webhook endpoint, or `sns:` or `event-bus:` and the name of a target. */
  destination: string;
  eventId: string;
  /** When the event happened. */
  at: number;
  type: string;
  jobId: string | null;
  archiveId: string | null;
  version: number;
  /** The body of the message. */
  body: string;
  state: 'pending' | 'delivered' | 'failed';
  /** When it is tried next. */
  dueAt: number;
  /** Tries so far. */
  tries: Generated<number>;
  owner: string | null;
  leasedUntil: Generated<number>;
  triedAt: number | null;
  /** The status code of the last answer; null without one. */
  status: number | null;
  /** Why the last try failed, in a few words. */
  error: string | null;
  endedAt: number | null;
}
