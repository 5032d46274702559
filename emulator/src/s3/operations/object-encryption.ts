import { bucketArn, partitionOf } from '../../iam/partitions.ts';
import { denialMessage } from '../../iam/permissions.ts';
import { findKeyDenial } from '../../kms/access.ts';
import { type Keys, type KmsKey, s3KeyAlias } from '../../kms/keys.ts';
import { awsError } from '../../wire/aws-error.ts';
import type { WireRequest } from '../../wire/exchange.ts';
import type { Bucket } from '../buckets.ts';
import { type Encryption, readEncryption } from '../configurations.ts';
import type { S3Context } from '../operation.ts';

/** Returns the encryption of a new object: of its request, or the default of the bucket. */
export function chooseEncryption({ headers }: WireRequest, { configurations }: Bucket): Encryption {
  const algorithm = headers['x-amz-server-side-encryption']?.toString();
  const keyId = headers['x-amz-server-side-encryption-aws-kms-key-id']?.toString();
  if (algorithm === undefined) return readEncryption(configurations);
  return { algorithm: algorithm as Encryption['algorithm'], keyId };
}

/** Finds the key of an encryption. Without a key id it is the key that AWS manages for S3. */
export function findEncryptionKey(
  { keyId = s3KeyAlias }: Encryption,
  { accountId, region }: Bucket,
  keys: Keys,
): KmsKey | undefined {
  const key = keys.find(keyId, { accountId, region });
  return key?.region === region ? key : undefined;
}

/** Returns the headers that show the encryption of an object. */
export function encryptionHeaders(encryption: Encryption, bucket: Bucket, keys: Keys) {
  const { algorithm } = encryption;
  const shown = { 'x-amz-server-side-encryption': algorithm };
  if (algorithm === 'AES256') return shown;
  const { arn = encryption.keyId ?? '' } = findEncryptionKey(encryption, bucket, keys) ?? {};
  return {
    ...shown,
    'x-amz-server-side-encryption-aws-kms-key-id': arn,
    ...(encryption.hasBucketKey && { 'x-amz-server-side-encryption-bucket-key-enabled': 'true' }),
  };
}

/**
 * Returns the condition keys of a request of S3 for a key. With a bucket key, S3 asks once for all objects
 * of the bucket (documentation).
 */
export function keyUseContext({ hasBucketKey }: Encryption, bucket: Bucket, objectKey: string) {
  const { suffix } = partitionOf(bucket.region);
  return {
    'kms:ViaService': `s3.${bucket.region}.${suffix}`,
    'kms:EncryptionContext:aws:s3:arn': bucketArn(bucket, hasBucketKey ? undefined : objectKey),
  };
}

/**
 * Refuses to read or write an object whose key the caller may not use, or whose key does not work. S3 asks
 * KMS in the name of the caller.
 */
export function refuseKeyUse(
  action: 'kms:Decrypt' | 'kms:GenerateDataKey',
  encryption: Encryption,
  bucket: Bucket,
  { key: objectKey, caller, keys, settings }: S3Context,
): void {
  if (encryption.algorithm === 'AES256') return;
  const key = findEncryptionKey(encryption, bucket, keys);
  if (!key) {
    throw awsError('KMS.NotFoundException', `Key '${encryption.keyId}' does not exist`);
  }
  if (key.state !== 'Enabled') {
    const code = key.state === 'Disabled' ? 'DisabledException' : 'KMSInvalidStateException';
    throw awsError(`KMS.${code}`, `${key.arn} is not enabled: ${key.state}.`);
  }
  const context = keyUseContext(encryption, bucket, objectKey);
  const denial = findKeyDenial(key, action, caller, settings, context);
  if (!denial) return;
  const message = denialMessage({ action, resource: key.arn }, caller, denial);
  throw awsError('AccessDenied', message, 403);
}
