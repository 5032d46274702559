import type { Reading } from '#aws/storage/storage.ts';
import { Problem } from '#problems/problem.ts';
import type { Check } from './check.ts';

/** A reading that tells the value, or that there is none. */
type Known<Value> = Extract<Reading<Value>, { outcome: 'known' | 'absent' }>;
/** A reading that tells nothing of the value. */
export type Unread = Exclude<Reading<never>, Known<never>>;

/** Whether the value, or its absence, is known. */
export function isRead<Value>(reading: Reading<Value>): reading is Known<Value> {
  return reading.outcome === 'known' || reading.outcome === 'absent';
}

/** The value, if it was read and there is one. */
export function knownValue<Value>(reading: Reading<Value>): Value | undefined {
  return reading.outcome === 'known' ? reading.value : undefined;
}

/** What to do about a check for which the service role lacks a permission. */
export function askFor(permission: string): string {
  const owner = permission.startsWith('s3:')
    ? ' If the bucket policy denies it, ask the owner of the bucket.'
    : '';
  return `To have this checked, ask the operator of the service to allow ${permission} for the service role.${owner}`;
}

/** A check of something that could not be read. */
export function unreadable(
  name: Check['name'],
  { what, permission }: { what: string; permission: string },
  reading: Unread,
): Check {
  if (reading.outcome === 'denied') {
    return {
      name,
      verdict: 'unknown',
      detail: `The service role may not read ${what}.`,
      remedy: askFor(permission),
    };
  }
  return {
    name,
    verdict: 'unknown',
    detail: `This service could not read ${what}. ${reading.problem.detail}`,
  };
}

/** What the failure of a read tells. @throws any error that is no problem */
export function toUnread(error: unknown): Unread {
  if (!(error instanceof Problem)) throw error;
  if (error.slug === 'service-role-not-permitted') return { outcome: 'denied' };
  return { outcome: 'unknown', problem: error };
}
