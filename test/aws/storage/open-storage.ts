import {
  type Emulator,
  type EmulatorOptions,
  openEmulator,
} from 'cloudwatch-logs-export-emulator/source';

import type { AwsCallRecord } from '#audit/audit.ts';
import { auditStorageCalls } from '#aws/storage/calls/audited-storage.ts';
import { makeStorageCalls } from '#aws/storage/calls/storage-calls.ts';
import { makeStorage } from '#aws/storage/make-storage.ts';
import type { Storage } from '#aws/storage/storage.ts';
import { pointSdkAt, region } from '../../world.ts';
import { openTestAws } from '../open-logs.ts';

export const accountId = '123456789012';

/** S3 and KMS of a target without a role, in front of an emulator that has the bucket `archive`. */
export interface OpenStorage extends AsyncDisposable {
  emulator: Emulator;
  storage: Storage;
  /** The audit records of its calls. */
  records: Omit<AwsCallRecord, 'target'>[];
}

/** Opens storage. Use it with `await using`. */
export async function openStorage(
  options: EmulatorOptions = {},
  aws: Parameters<typeof openTestAws>[0] = {},
): Promise<OpenStorage> {
  const emulator = await openEmulator({ rateLimits: 'off', ...options });
  pointSdkAt(emulator.url);
  emulator.seed.bucket({ region, bucket: 'archive' });
  const opened = openTestAws(aws);
  const records: OpenStorage['records'] = [];
  const calls = auditStorageCalls(
    makeStorageCalls({ region: opened.region(region), credentials: undefined }),
    (record) => records.push(record),
  );
  return {
    emulator,
    storage: makeStorage(calls, { accountId, region }),
    records,
    async [Symbol.asyncDispose]() {
      opened[Symbol.dispose]();
      await emulator.close();
    },
  };
}
