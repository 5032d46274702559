/** All actions by kind. Overload protection sheds creates first, cancels and reads last. */
export const actions = {
  CreateExportTask: 'create',
  DescribeExportTasks: 'read',
  CancelExportTask: 'cancel',
  CreateExportJob: 'create',
  ReadExportJob: 'read',
  CancelExportJob: 'cancel',
  RetryExportJob: 'create',
  CreateArchive: 'create',
  ReadArchive: 'read',
  ChangeArchive: 'create',
  ReadCoverage: 'read',
  CreateWebhookEndpoint: 'create',
  ReadWebhookEndpoint: 'read',
  ChangeWebhookEndpoint: 'create',
  ReadTarget: 'read',
  CheckAuthorization: 'read',
} as const;

/** The name of an action; each operation of the API has one. */
export type Action = keyof typeof actions;
/** The kind of an action: create, read or cancel. */
export type ActionKind = (typeof actions)[Action];

/**
 * The group of an action in policies: its kind, or `webhooks`. Policies about the group `create` use the destination,
 * and a webhook endpoint has none. In that group, it would make such policies invalid.
 */
export function policyGroupOf(action: Action): ActionKind | 'webhooks' {
  return action.endsWith('WebhookEndpoint') ? 'webhooks' : actions[action];
}
