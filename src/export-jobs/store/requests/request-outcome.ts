import type { Action } from '#auth/authorization/action.ts';
import type { Approval, AuditContext } from '../record-change.ts';

/** The effect of a request on a job. */
export interface RequestOutcome {
  target: string;
  /** How many slices changed their state. */
  slices: number;
}

/** The audit context of a change that a caller requested. */
export function toAuditContext(action: Action, { request, policies }: Approval): AuditContext {
  return { action, principal: request.principal.id, requestId: request.id, policies };
}
