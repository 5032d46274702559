import type { Principal } from '#auth/principal.ts';

/** What became of one attempt of a delivery. Nothing in it has a secret, or the path of a URL. */
export interface DeliveryResult {
  /**
   * `delivered`: any 2xx. `gone`: 410, the receiver wants no further event. `refused`: nothing was sent, because the
   * URL, an address or the caller is not allowed. `failed`: every other answer, or none.
   */
  outcome: 'delivered' | 'failed' | 'gone' | 'refused';
  /** The HTTP status of the answer. Absent without an answer. */
  status?: number;
  /** Why it was not delivered: a code of Node, or a few words. */
  reason?: string;
  /** How long the receiver asks to wait, in milliseconds. Absent if it does not ask. */
  retryAfterMs?: number;
  /** How long the attempt took, in milliseconds. */
  durationMs: number;
}

/** Sends an event to a webhook endpoint, once. It never rejects, and takes 15 seconds at most. */
export type SendWebhook = (
  /**
   * `principal` is its caller: the policies decide again. The secrets sign the message: the current one, and the
   * previous one during a rotation.
   */
  endpoint: { id: string; principal: Principal; url: string; secrets: readonly string[] },
  /** `at` is the time of this attempt, epoch ms. `id` and `body` are the same in each attempt. */
  message: { id: string; at: number; body: string },
) => Promise<DeliveryResult>;
