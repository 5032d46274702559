import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import { anonymous } from '#auth/principal.ts';
import type { Approval, AuditContext } from '#export-jobs/store/record-change.ts';

/** A request of a caller of this id. */
export const askerOf = (id: string): CallerRequest => ({
  principal: { ...anonymous, id, subject: id },
  id: 'request-of-the-test',
});

/** What the rule of the test permits a caller. */
export const approvalOf = (id: string): Approval => ({
  request: askerOf(id),
  policies: ['a-rule'],
});

/** A change that a test makes past everybody who would. */
export const testAuditContext: AuditContext = {
  action: 'CreateExportTask',
  principal: 'anonymous',
  requestId: 'marker-of-the-test',
};
