import type { StorageCalls } from './calls/storage-calls.ts';
import { makeObjectCalls } from './objects.ts';
import { makeKeyReads } from './settings/read-keys.ts';
import { makeSettingReads } from './settings/read-settings.ts';
import type { Storage, StorageOwner } from './storage.ts';

/** Makes S3 and KMS of a target from its calls. */
export function makeStorage(calls: StorageCalls, owner: StorageOwner): Storage {
  return {
    ...makeSettingReads(calls.s3, owner),
    ...makeKeyReads(calls.kms),
    ...makeObjectCalls(calls.s3),
    scoped: (grant, caller) => {
      const verification = { grant, caller };
      return makeStorage(
        {
          s3: (call, ...how) => calls.s3({ ...call, verification }, ...how),
          kms: (call, ...how) => calls.kms({ ...call, verification }, ...how),
        },
        owner,
      );
    },
  };
}
