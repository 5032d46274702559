import { logGroupArn } from '#aws/arn.ts';
import { partitionOf } from '#aws/endpoint/partition.ts';
import { roleCaller, serviceCaller } from '../policy/caller.ts';
import type { ConditionKeys } from '../policy/condition.ts';
import type { PolicyRequest } from '../policy/decide.ts';
import { bucketArn, type ExportSource } from './export-statements.ts';

/** Requests that differ only in what AWS does not document. */
export type AlikeRequests = [PolicyRequest, ...PolicyRequest[]];

/** An export, as far as policies see it. */
export interface PolicyExport extends ExportSource {
  bucket: string;
  /** Unknown if the answer must hold for every log group. */
  logGroupName?: string | undefined;
}

const fullControl = 'bucket-owner-full-control';

/** CloudWatch Logs reads the ACL of the bucket. It does so before anything else. */
export function readAclRequests(exported: PolicyExport): AlikeRequests {
  const resource = bucketArn(exported, exported.bucket);
  return requestsOfLogs(exported, 's3:GetBucketAcl', resource, { 's3:x-amz-acl': null });
}

/** CloudWatch Logs writes an object. It gives it to the owner of the bucket (user guide). */
export function writeRequests(exported: PolicyExport, key: string): AlikeRequests {
  const resource = bucketArn(exported, exported.bucket, key);
  return requestsOfLogs(exported, 's3:PutObject', resource, { 's3:x-amz-acl': fullControl });
}

/** CloudWatch Logs uses a key of KMS. */
export function useKeyRequests(
  used: ExportSource & { keyArn: string; logGroupName?: string | undefined },
  action: string,
): AlikeRequests {
  return requestsOfLogs(used, action, used.keyArn, {});
}

/** An export and the service role that makes it. */
interface CallerExport extends PolicyExport {
  roleArn?: string | undefined;
}

/** The service role writes an object: AWS checks that the caller of CreateExportTask could. */
export function callerWriteRequests(exported: CallerExport, key: string): AlikeRequests {
  return requestsOfCaller(exported, 's3:PutObject', key, { 's3:x-amz-acl': fullControl });
}

/** The service role lists the bucket to verify an export. */
export function callerListRequests(exported: CallerExport): AlikeRequests {
  return requestsOfCaller(exported, 's3:ListBucket', undefined, { 's3:x-amz-acl': null });
}

/** The service role reads an object to verify an export. */
export function callerReadRequests(exported: CallerExport, key: string): AlikeRequests {
  return requestsOfCaller(exported, 's3:GetObject', key, { 's3:x-amz-acl': null });
}

function requestsOfCaller(
  { region, accountId, bucket, roleArn }: CallerExport,
  action: string,
  key: string | undefined,
  keys: ConditionKeys,
): AlikeRequests {
  const partition = partitionOf(region).name;
  return [
    {
      caller: roleCaller({ partition, accountId, roleArn }),
      action,
      resource: bucketArn({ region }, bucket, key),
      keys: {
        'aws:securetransport': 'true',
        'aws:principalaccount': accountId,
        'aws:principalisawsservice': 'false',
        ...(roleArn !== undefined && { 'aws:principalarn': roleArn }),
        ...keys,
        // Only calls of services have them.
        'aws:sourceaccount': null,
        'aws:sourcearn': null,
      },
    },
  ];
}

/**
 * The keys of each call that a service makes with its own principal (user guide of IAM, "Global condition
 * context keys"). It is in no organization, and comes through no VPC endpoint of a customer. What is not
 * listed here, such as its address, is unknown.
 */
const keysOfServices: ConditionKeys = {
  'aws:securetransport': 'true',
  'aws:principalisawsservice': 'true',
  'aws:principalorgid': null,
  'aws:principalorgpaths': null,
  'aws:sourcevpc': null,
  'aws:sourcevpcarn': null,
  'aws:sourcevpce': null,
  'aws:vpcsourceip': null,
};

function requestsOfLogs(
  { region, accountId, logGroupName }: Omit<PolicyExport, 'bucket'>,
  action: string,
  resource: string,
  keys: ConditionKeys,
): AlikeRequests {
  const known = {
    ...keysOfServices,
    'aws:requestedregion': region,
    'aws:sourceaccount': accountId,
    ...keys,
  };
  const arn =
    logGroupName === undefined ? undefined : logGroupArn({ region, accountId }, logGroupName);
  // AWS documents the pattern log-group:*, which matches both.
  const sourceArns: ConditionKeys[] =
    arn === undefined ? [{}] : [{ 'aws:sourcearn': `${arn}:*` }, { 'aws:sourcearn': arn }];
  const all = principalNames(region).flatMap((names) =>
    sourceArns.map((sourceArn): PolicyRequest => {
      const caller = serviceCaller(names);
      return { caller, action, resource, keys: { ...known, ...sourceArn } };
    }),
  );
  return all as AlikeRequests; // a Region has at least one set of names
}

/**
 * The possible names of CloudWatch Logs: with the suffix of the partition, with amazonaws.com, or both.
 * Public sources disagree for other partitions than `aws`.
 */
function principalNames(region: string): string[][] {
  const { dnsSuffix } = partitionOf(region);
  const under = (suffix: string) => [`logs.${region}.${suffix}`, `logs.${suffix}`];
  const common = under('amazonaws.com');
  if (dnsSuffix === 'amazonaws.com') return [common];
  const own = under(dnsSuffix);
  return [own, common, [...own, ...common]];
}
