import type { Environment } from '../variables.ts';
import { readOrigins } from './origins.ts';

/** Where webhook endpoints may be. */
export interface WebhooksConfig {
  /** The origins that may be private, use plain HTTP or have another port. */
  origins: readonly string[];
}

/** Reads where webhook endpoints may be; undefined if callers can have none. @throws an error named ConfigError */
export function readWebhooks({
  WEBHOOKS,
  WEBHOOK_ORIGINS,
}: Environment): WebhooksConfig | undefined {
  const origins = readOrigins('WEBHOOK_ORIGINS', WEBHOOK_ORIGINS);
  return WEBHOOKS === 'on' ? { origins } : undefined;
}
