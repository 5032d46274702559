import type { CreateCheck } from '../../../options/options.ts';
import { failedCallMessage } from '../../../options/settings.ts';
import type { Bucket } from '../../../s3/buckets.ts';
import {
  mayCallerEncrypt,
  mayCallerWrite,
  mayEncrypt,
  mayReadAcl,
  mayWrite,
} from '../../../s3/log-delivery.ts';
import { awsError } from '../../../wire/aws-error.ts';
import { long, optional, required, text } from '../../../wire/json-input.ts';
import { writeTest, writeTestKey } from '../../exports/export-files.ts';
import { type ExportOrder, foreignCourse, foreignOrder } from '../../exports/export-tasks.ts';
import { findLogGroup } from '../../log-groups.ts';
import { logGroupName, logStreamName } from '../../names.ts';
import { type LogsContext, makeOperation } from '../../operation.ts';

/**
 * CreateExportTask: writes the write-test object and starts a task. The order of checks is an
 * option.
 */
export const createExportTask = makeOperation(
  {
    taskName: optional(text({ min: 1, max: 512 })),
    logGroupName: required(logGroupName),
    logStreamNamePrefix: optional(logStreamName),
    from: required(long({ min: 0 })),
    to: required(long({ min: 0 })),
    destination: required(text({ min: 1, max: 512 })),
    destinationPrefix: optional(text()),
  },
  (order, context) => {
    const { clock, logs, buckets, fault } = context;
    if (fault?.kind === 'foreign-task') {
      logs.exportTasks.start(foreignOrder, foreignCourse(fault.durationMs));
    }

    refuseByOption(order, context);
    for (const check of context.settings.checkOrder) checks[check](order, context);

    const testKey = writeTestKey(order.destinationPrefix, context.settings);
    buckets.putObject(findBucket(order, context), testKey, {
      body: () => Buffer.from(writeTest.body),
      lastModified: clock.now(),
    });
    const ending = fault?.kind === 'task-fails' ? 'fail' : 'write';
    const runningMs = fault?.kind === 'task-runs' ? { runningMs: fault.runningMs } : {};
    const { taskId } = logs.exportTasks.start(order, { ending, fault, ...runningMs });
    return { output: { taskId }, effect: { kind: 'task-created', taskId } };
  },
);

const checks: Record<CreateCheck, (order: ExportOrder, context: LogsContext) => void> = {
  bucket: findBucket,

  bucketRegion(order, context) {
    const { otherRegionBucket, otherRegionBucketMessage } = context.settings;
    if (otherRegionBucket === 'accept') return;
    if (findBucket(order, context).region === context.logs.region) return;
    throw awsError('InvalidParameterException', otherRegionBucketMessage);
  },

  logGroup(order, { logs, settings }) {
    const group = findLogGroup(logs.logGroups, order.logGroupName);
    if (settings.nonStandardLogClass === 'accept' || group.logGroupClass === 'STANDARD') return;
    throw awsError(
      'InvalidParameterException',
      'Export is only supported for log groups of the Standard log class.',
    );
  },

  bucketPolicy(order, context) {
    const { caller, logs, settings } = context;
    const bucket = findBucket(order, context);
    const source = { ...logs, logGroupName: order.logGroupName };
    const key = writeTestKey(order.destinationPrefix, settings);
    if (!mayReadAcl(bucket, source, settings)) {
      refuseAccess(failedCallMessage('GetBucketAcl'), context);
    }
    if (!mayWrite(bucket, source, settings, key)) {
      refuseAccess(failedCallMessage('PutObject'), context);
    }
    if (!mayCallerWrite(bucket, caller, settings, key)) {
      refuseAccess(
        'Please ensure that the CreateExportTask caller has been granted s3:PutObject access to the bucket.',
        context,
      );
    }
  },

  encryption(order, context) {
    const { caller, keys, logs, settings } = context;
    const bucket = findBucket(order, context);
    const source = { ...logs, logGroupName: order.logGroupName };
    const key = writeTestKey(order.destinationPrefix, settings);
    const isPossible =
      mayEncrypt(bucket, source, settings, keys, key) &&
      mayCallerEncrypt(bucket, caller, settings, keys);
    if (!isPossible) refuseAccess(settings.encryptionMessage, context);
  },

  activeLimit(_order, { logs, settings }) {
    if (logs.exportTasks.activeCount() < settings.activeTaskLimit) return;
    throw awsError('LimitExceededException', 'Resource limit exceeded.');
  },
};

function findBucket(order: ExportOrder, { buckets }: LogsContext): Bucket {
  const bucket = buckets.find(order.destination);
  if (bucket) return bucket;
  throw awsError(
    'InvalidParameterException',
    'The given bucket does not exist. Please make sure the bucket is valid.',
  );
}

/** Checks that AWS may or may not make. Their messages are invented. */
function refuseByOption(order: ExportOrder, { logs, settings }: LogsContext): void {
  if (settings.fromAfterTo === 'refuse' && order.from > order.to) {
    throw awsError('InvalidParameterException', "The parameter 'to' must not be before 'from'.");
  }
  const { taskName } = order;
  if (settings.repeatedTaskName === 'refuse' && taskName && logs.exportTasks.hasName(taskName)) {
    throw awsError('ResourceAlreadyExistsException', 'The specified export task already exists.');
  }
}

function refuseAccess(message: string, { settings }: LogsContext): never {
  throw awsError(settings.bucketPolicyErrorCode, message);
}
