/** What there is to do, and of what kind it is: overload sheds creates first, cancels and reads last. */
export const actions = {
  CreateExportTask: 'create',
  DescribeExportTasks: 'read',
  CancelExportTask: 'cancel',
  CreateExportJob: 'create',
  ReadExportJob: 'read',
  CancelExportJob: 'cancel',
  RetryExportJob: 'create',
  ReadTarget: 'read',
  CheckAuthorization: 'read',
} as const;

/** The name of something to do; each operation of the API has one. */
export type Action = keyof typeof actions;
export type ActionKind = (typeof actions)[Action];
