/**
 * The built-in policy, in addition to those of the operator: callers may read, cancel and retry their
 * own jobs unless a policy forbids it.
 */
export const builtInPolicy = {
  id: 'own-export-jobs',
  text: `permit(
    principal,
    action in [Action::"ReadExportJob", Action::"CancelExportJob", Action::"RetryExportJob"],
    resource
  ) when { context.isOwn };`,
};
