/**
 * The built-in policy, in addition to those of the operator: callers may read, cancel and retry their
 * own jobs, and read and change their own archives and webhook endpoints, unless a policy forbids it.
 */
export const builtInPolicy = {
  id: 'own-export-jobs',
  text: `permit(
    principal,
    action in [
      Action::"ReadExportJob", Action::"CancelExportJob", Action::"RetryExportJob",
      Action::"ReadArchive", Action::"ChangeArchive",
      Action::"ReadWebhookEndpoint", Action::"ChangeWebhookEndpoint"
    ],
    resource
  ) when { context.isOwn };`,
};
