import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import { anonymous } from '#auth/principal.ts';
import type { Approval, AuditContext } from '#export-jobs/store/record-change.ts';

/** Makes a request of the caller with this id. */
export const requestOf = (id: string): CallerRequest => ({
  principal: { ...anonymous, id, subject: id },
  id: 'request-of-the-test',
});

/** Makes the approval of a request of this caller. */
export const approvalOf = (id: string): Approval => ({
  request: requestOf(id),
  policies: ['a-rule'],
});

/** The audit context of changes that a test makes itself. */
export const testAuditContext: AuditContext = {
  action: 'CreateExportTask',
  principal: 'anonymous',
  requestId: 'marker-of-the-test',
};
