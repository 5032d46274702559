import type {
  GetBucketEncryptionCommandOutput,
  GetObjectLockConfigurationCommandOutput,
} from '@aws-sdk/client-s3';

import type { CallOptions } from '../../call-options.ts';
import type { S3 } from '../calls/sdk.ts';
import type { ServiceCalls } from '../calls/storage-calls.ts';
import type {
  BucketEncryption,
  LifecycleRule,
  ObjectLock,
  Reading,
  Storage,
  StorageOwner,
} from '../storage.ts';
import { readBucketFacts } from './read-bucket.ts';
import { sendRead, toReading } from './reading.ts';

type SettingReads = Pick<
  Storage,
  | 'readBucket'
  | 'readBucketPolicy'
  | 'readEncryption'
  | 'readObjectOwnership'
  | 'readObjectLock'
  | 'readLifecycle'
>;

/** Makes the reads of the settings of buckets. */
export function makeSettingReads(s3: ServiceCalls<S3>, owner: StorageOwner): SettingReads {
  /** Reads one setting. `absentCode` is the answer of AWS for a bucket that does not have it. */
  function readSetting<Answer extends { $metadata: object }, Value>(
    {
      bucket,
      options,
      operation,
    }: { bucket: string; options: CallOptions | undefined; operation: string },
    absentCode: string,
    send: (s3: S3, how: { abortSignal: AbortSignal }) => Promise<Answer>,
    read: [member: string, read: (answer: Answer) => Value | undefined],
  ): Promise<Reading<Value>> {
    const codes = ['NoSuchBucket', absentCode];
    const call = { operation, bucket, options };
    return toReading(s3(call, (loaded, how) => sendRead(send(loaded, how), codes, read)));
  }

  return {
    readBucket: (bucket, options) => readBucketFacts(s3, owner, bucket, options),

    readBucketPolicy: (bucket, options) =>
      readSetting(
        { bucket, options, operation: 'GetBucketPolicy' },
        'NoSuchBucketPolicy',
        ({ client, sdk }, how) =>
          client.send(new sdk.GetBucketPolicyCommand({ Bucket: bucket }), how),
        ['Policy', ({ Policy: policy }) => policy],
      ),

    readEncryption: (bucket, options) =>
      readSetting(
        { bucket, options, operation: 'GetBucketEncryption' },
        'ServerSideEncryptionConfigurationNotFoundError',
        ({ client, sdk }, how) =>
          client.send(new sdk.GetBucketEncryptionCommand({ Bucket: bucket }), how),
        ['Rules', toEncryption],
      ),

    readObjectOwnership: (bucket, options) =>
      readSetting(
        { bucket, options, operation: 'GetBucketOwnershipControls' },
        'OwnershipControlsNotFoundError',
        ({ client, sdk }, how) =>
          client.send(new sdk.GetBucketOwnershipControlsCommand({ Bucket: bucket }), how),
        [
          'ObjectOwnership',
          ({ OwnershipControls: controls }): string | undefined =>
            controls?.Rules?.[0]?.ObjectOwnership,
        ],
      ),

    readObjectLock: (bucket, options) =>
      readSetting(
        { bucket, options, operation: 'GetObjectLockConfiguration' },
        'ObjectLockConfigurationNotFoundError',
        ({ client, sdk }, how) =>
          client.send(new sdk.GetObjectLockConfigurationCommand({ Bucket: bucket }), how),
        ['ObjectLockEnabled', toObjectLock],
      ),

    readLifecycle: (bucket, options) =>
      readSetting(
        { bucket, options, operation: 'GetBucketLifecycleConfiguration' },
        'NoSuchLifecycleConfiguration',
        ({ client, sdk }, how) =>
          client.send(new sdk.GetBucketLifecycleConfigurationCommand({ Bucket: bucket }), how),
        ['Rules', ({ Rules: rules }) => rules?.map(toLifecycleRule)],
      ),
  };
}

function toEncryption({
  ServerSideEncryptionConfiguration: configuration,
}: GetBucketEncryptionCommandOutput): BucketEncryption | undefined {
  const [rule] = configuration?.Rules ?? [];
  if (!rule) return undefined;
  // Without a default of its own, S3 encrypts with SSE-S3.
  const { SSEAlgorithm: algorithm = 'AES256', KMSMasterKeyID: keyId } =
    rule.ApplyServerSideEncryptionByDefault ?? {};
  return { algorithm, ...(keyId !== undefined && { keyId }) };
}

function toObjectLock({
  ObjectLockConfiguration: configuration,
}: GetObjectLockConfigurationCommandOutput): ObjectLock | undefined {
  if (configuration?.ObjectLockEnabled !== 'Enabled') return undefined;
  const { Mode: mode, Days: days, Years: years } = configuration.Rule?.DefaultRetention ?? {};
  const period = days ?? (years === undefined ? undefined : years * 365);
  return { ...(mode && { mode }), ...(period !== undefined && { days: period }) };
}

type SdkLifecycleRule = import('@aws-sdk/client-s3').LifecycleRule;

function toLifecycleRule(rule: SdkLifecycleRule): LifecycleRule {
  const { ID: id, Status: status, Expiration: expiration, Filter: filter } = rule;
  const both = filter?.And;
  const limits = [
    filter?.Tag,
    filter?.ObjectSizeGreaterThan,
    filter?.ObjectSizeLessThan,
    both?.Tags?.[0],
    both?.ObjectSizeGreaterThan,
    both?.ObjectSizeLessThan,
  ];
  return {
    ...(id !== undefined && { id }),
    isEnabled: status === 'Enabled',
    prefix: filter?.Prefix ?? both?.Prefix ?? rule.Prefix ?? '',
    ...(expiration?.Days !== undefined && { expirationDays: expiration.Days }),
    ...(expiration?.Date && { expirationDate: expiration.Date.getTime() }),
    hasOtherFilters: limits.some((limit) => limit !== undefined),
  };
}
