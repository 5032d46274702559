import { countOf } from '#problems/limits.ts';
import { toDateTime } from '#time/date-time.ts';
import type { RedactedSlotStatus } from '../../slot/redact-slot-status.ts';
import type { Slot } from '../../slot/slot.ts';
import type { OpenTarget } from '../../target.ts';
import type { Check } from '../check.ts';
import { toUnread, unreadable } from '../readings.ts';

/** Slices that may start from an instant on, as epoch ms. One in the past means at once. */
export interface SliceArrival {
  at: number;
  slices: number;
}

/** What an export would find in the queue. Instants are epoch ms. */
export interface QueueForecast {
  /** Slices that would start before its first. */
  slicesAhead: number;
  estimatedStartAt?: number;
  estimatedEndAt?: number;
}

/** Notes the account that STS has confirmed. Otherwise, the target could not be found. */
export function checkRole({ accountId }: Pick<OpenTarget, 'accountId'>): Check {
  const detail = `AWS STS has confirmed the account of the service role: ${accountId}.`;
  return { name: 'role', verdict: 'pass', detail };
}

/** Notes who holds the slot. A job waits for it. */
export async function checkSlot(readSlot: () => Promise<RedactedSlotStatus>): Promise<Check> {
  const name = 'slot';
  const status = await readSlot().catch(toUnread);
  if ('outcome' in status) {
    const permission = 'logs:DescribeExportTasks';
    return unreadable(name, { what: 'the state of the slot', permission }, status);
  }
  const { slot } = status;
  if (!slot) return { name, verdict: 'unknown', detail: 'The state of the slot is not known.' };
  return { name, verdict: 'pass', detail: describeSlot(slot) };
}

function describeSlot({ state, jobId, taskId, since }: Slot): string {
  if (state === 'free') return 'The slot is free.';
  const from = since === undefined ? '' : ` since ${since}`;
  if (state === 'ours') {
    return `${jobId === undefined ? 'An export job' : `Export job ${jobId}`} holds the slot${from}.`;
  }
  const task = taskId === undefined ? 'An export task' : `Export task ${taskId}`;
  return `${task} that no export job created holds the slot${from}.`;
}

/** Notes what the queue says of the start and the end. */
export async function checkQueue(readQueue: () => Promise<QueueForecast>): Promise<Check> {
  const name = 'queue';
  const forecast = await readQueue().catch(toUnread);
  if ('outcome' in forecast) {
    const detail = 'This service could not read the queue.';
    return { name, verdict: 'unknown', detail };
  }
  const { slicesAhead, estimatedStartAt, estimatedEndAt } = forecast;
  const ahead = `${countOf(slicesAhead, 'slice')} would start before the first slice.`;
  const times =
    estimatedStartAt === undefined || estimatedEndAt === undefined
      ? 'There is no recent export at the target from which to estimate the end.'
      : `It would start at about ${toDateTime(estimatedStartAt)}, and the last slice would end at about ${toDateTime(estimatedEndAt)}.`;
  return { name, verdict: 'pass', detail: `${ahead} ${times}` };
}
