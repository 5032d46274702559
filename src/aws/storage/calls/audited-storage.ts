import { type AwsCallRecord, gatewayItself } from '#audit/audit.ts';
import type { Problem } from '#problems/problem.ts';
import { type RecordCall, resultOfProblem } from '../../audited-calls.ts';
import type { ServiceCalls, StorageCall, StorageCalls } from './storage-calls.ts';

/** Wraps the calls of a target so that each one writes one audit entry, whether it succeeds or fails. */
export function auditStorageCalls({ s3, kms }: StorageCalls, record: RecordCall): StorageCalls {
  const audited =
    <Client>(service: 's3' | 'kms', make: ServiceCalls<Client>): ServiceCalls<Client> =>
    async (call, send, whenRead) => {
      const write = (result: Pick<AwsCallRecord, 'outcome' | 'awsRequestId'>) =>
        record({ service, ...factsOf(call), ...result });
      try {
        const answer = await make(call, send, whenRead);
        const { $metadata } = answer as { $metadata?: { requestId?: string } };
        write({ outcome: 'ok', awsRequestId: $metadata?.requestId });
        return answer;
      } catch (error) {
        write(resultOfProblem(error as Problem));
        throw error;
      }
    };
  return { s3: audited('s3', s3), kms: audited('kms', kms) };
}

function factsOf({ operation, bucket, objectKey, kmsKeyId, verification, options }: StorageCall) {
  return {
    principal: verification?.caller ?? options?.caller ?? gatewayItself,
    operation,
    destination: bucket,
    objectKey,
    kmsKeyId,
    logGroupName: verification?.grant.logGroupName,
    taskId: verification?.grant.taskId,
  };
}
