import { Type } from '@sinclair/typebox';

/** A point in time in an answer: RFC 3339 in UTC. */
export const DateTime = (description: string) => Type.String({ format: 'date-time', description });

/** Writes epoch milliseconds as RFC 3339 in UTC. */
export function toDateTime(ms: number): string {
  return new Date(ms).toISOString();
}
