import type { DescribeKeyCommandOutput, KeyMetadata } from '@aws-sdk/client-kms';

import type { Kms } from '../calls/sdk.ts';
import type { ServiceCalls } from '../calls/storage-calls.ts';
import type { Storage } from '../storage.ts';
import { sendRead, toReading } from './reading.ts';

const absentCodes = ['NotFoundException'];

/** Makes the reads of keys of KMS. */
export function makeKeyReads(kms: ServiceCalls<Kms>): Pick<Storage, 'readKey' | 'readKeyPolicy'> {
  return {
    readKey: (kmsKeyId, options) =>
      toReading(
        kms({ operation: 'DescribeKey', kmsKeyId, options }, ({ client, sdk }, how) =>
          sendRead(client.send(new sdk.DescribeKeyCommand({ KeyId: kmsKeyId }), how), absentCodes, [
            'KeyMetadata',
            toKey,
          ]),
        ),
      ),

    readKeyPolicy: (kmsKeyId, options) =>
      toReading(
        kms({ operation: 'GetKeyPolicy', kmsKeyId, options }, ({ client, sdk }, how) =>
          sendRead(
            client.send(new sdk.GetKeyPolicyCommand({ KeyId: kmsKeyId }), how),
            absentCodes,
            ['Policy', ({ Policy: policy }) => policy],
          ),
        ),
      ),
  };
}

function toKey({ KeyMetadata: key = {} as KeyMetadata }: DescribeKeyCommandOutput) {
  const { Arn: arn, Enabled: isEnabled, KeyState: state, KeyManager: manager } = key;
  if (arn === undefined || isEnabled === undefined || state === undefined) return undefined;
  return { arn, isEnabled, state, isAwsManaged: manager === 'AWS' };
}
