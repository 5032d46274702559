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
          sendRead(client.send(new sdk.DescribeKeyCommand({ KeyId: kmsKeyId }), how), absentCodes),
        ),
        ({ KeyMetadata: key }) =>
          key && {
            arn: key.Arn ?? '',
            isEnabled: key.Enabled === true,
            state: key.KeyState ?? '',
            isAwsManaged: key.KeyManager === 'AWS',
          },
      ),

    readKeyPolicy: (kmsKeyId, options) =>
      toReading(
        kms({ operation: 'GetKeyPolicy', kmsKeyId, options }, ({ client, sdk }, how) =>
          sendRead(client.send(new sdk.GetKeyPolicyCommand({ KeyId: kmsKeyId }), how), absentCodes),
        ),
        ({ Policy: policy }) => policy,
      ),
  };
}
