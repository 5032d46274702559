import { awsError } from '../../../wire/aws-error.ts';
import { flag, optional, required, text } from '../../../wire/json-input.ts';
import { addLogGroup } from '../../log-groups.ts';
import { tags as tagsShape } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** The classes of the service model. */
export const logGroupClasses = ['STANDARD', 'INFREQUENT_ACCESS', 'DELIVERY', 'ESSENTIALS'];

/** CreateLogGroup: ignores `kmsKeyId`. A name that is too long has its own message (recorded). */
export const createLogGroup = makeOperation(
  {
    logGroupName: required(text({ min: 1, pattern: '[\\.\\-_/#A-Za-z0-9]+' })),
    logGroupClass: optional(text({ values: logGroupClasses })),
    deletionProtectionEnabled: optional(flag()),
    tags: optional(tagsShape),
  },
  (input, { logs, clock }) => {
    const { logGroupName, logGroupClass = 'STANDARD', tags = {} } = input;
    if (logGroupName.length > 512) {
      throw awsError(
        'InvalidParameterException',
        'Invalid LogGroup or LogStream, both must have length less than or equal to 512.',
      );
    }
    if (logs.logGroups.has(logGroupName)) {
      throw awsError('ResourceAlreadyExistsException', 'The specified log group already exists');
    }
    addLogGroup(logs.logGroups, {
      logGroupName,
      logGroupClass,
      createdAt: clock.now(),
      isDeletionProtected: input.deletionProtectionEnabled ?? false,
      tags,
    });
    return { effect: { kind: 'log-group-created', logGroupName } };
  },
);
