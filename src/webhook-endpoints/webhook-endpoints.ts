/** What the webhook endpoints need of the rest of the service. */
export interface WebhookEndpoints {
  /** The origins that may use plain HTTP, any port and addresses that are not public. */
  origins: readonly string[];
  /** Makes the deliveries look for work at once. */
  wake: () => void;
  /** Returns 32 random bytes, for a secret. */
  newKey: () => Buffer;
}
