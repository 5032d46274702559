import type { Action } from '#auth/authorization/action.ts';
import type { Queries } from '#database/database.ts';
import type { Approval, AuditContext } from '../record-change.ts';

/** The effect of a request on a job. */
export interface RequestOutcome {
  target: string;
  /** How many slices changed their state. */
  slices: number;
}

/**
 * Locks the row of a job until the transaction ends, by writing it unchanged. Every transaction that
 * changes slices locks their job first; otherwise two of them could deadlock.
 */
export function lockJob(queries: Queries, jobId: string) {
  return queries
    .updateTable('jobs')
    .set(({ ref }) => ({ version: ref('version') }))
    .where('id', '=', jobId)
    .returning(['target', 'caller', 'cancelRequestedAt'])
    .executeTakeFirstOrThrow();
}

/** The audit context of a change that a caller requested. */
export function toAuditContext(action: Action, { request, policies }: Approval): AuditContext {
  return { action, principal: request.principal.id, requestId: request.id, policies };
}
