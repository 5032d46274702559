import { describe, expect, test } from 'vitest';

import { Problem } from '#problems/problem.ts';
import {
  checkLifecycle,
  checkListing,
  checkObjectLock,
  checkOwnership,
} from '#targets/preflight/checks/bucket-settings-checks.ts';

const absent = { outcome: 'absent' } as const;
const denied = { outcome: 'denied' } as const;
const known = <Value>(value: Value) => ({ outcome: 'known', value }) as const;

describe('the check of Object Ownership', () => {
  test.each([
    [known('BucketOwnerEnforced'), undefined, 'pass', 'ACLs are disabled.'],
    [known('BucketOwnerPreferred'), true, 'pass', 'The owner of the bucket owns the exported'],
    [known('BucketOwnerPreferred'), undefined, 'pass', 'The owner of the bucket owns the exported'],
    [known('BucketOwnerPreferred'), false, 'warn', 'also needs s3:PutObjectAcl'],
    [known('ObjectWriter'), true, 'warn', 'Object Ownership is ObjectWriter'],
    [absent, true, 'warn', 'Object Ownership is not set'],
    [denied, true, 'unknown', 'Object Ownership of the bucket'],
  ] as const)('of %o, with an own bucket: %s, is %s', (reading, isOwn, verdict, detail) => {
    const check = checkOwnership(reading, isOwn);

    expect(check).toMatchObject({ name: 'object-ownership', verdict });
    expect(check.detail).toContain(detail);
  });
});

describe('the check of Object Lock', () => {
  test.each([
    [absent, 'pass', 'Object Lock is disabled.'],
    [known({}), 'pass', 'Object Lock is enabled, without a default retention.'],
    [known({ mode: 'GOVERNANCE' }), 'pass', 'from deletion.'],
    [known({ mode: 'COMPLIANCE', days: 1 }), 'pass', 'from deletion for 1 day.'],
    [denied, 'unknown', 'Object Lock of the bucket'],
  ] as const)('of %o is %s', (reading, verdict, detail) => {
    const check = checkObjectLock(reading);

    expect(check).toMatchObject({ name: 'object-lock', verdict });
    expect(check.detail).toContain(detail);
  });
});

describe('the check of lifecycle rules', () => {
  const rule = { isEnabled: true, prefix: '', hasOtherFilters: false };
  const expirationDate = Date.UTC(2027, 0, 1);

  test.each([
    [absent, 'pass', 'No lifecycle rule deletes objects'],
    [known([]), 'pass', 'No lifecycle rule deletes objects'],
    [known([rule]), 'pass', 'No lifecycle rule deletes objects'],
    [known([{ ...rule, isEnabled: false, expirationDays: 1 }]), 'pass', 'No lifecycle rule'],
    [known([{ ...rule, prefix: 'other/', expirationDays: 1 }]), 'pass', 'No lifecycle rule'],
    [known([{ ...rule, expirationDays: 30 }]), 'warn', 'deletes objects under the prefix after 30'],
    [known([{ ...rule, id: 'old', expirationDays: 1 }]), 'warn', 'Lifecycle rule "old" deletes'],
    [known([{ ...rule, expirationDate }]), 'warn', 'at 2027-01-01T00:00:00.000Z'],
    [known([{ ...rule, prefix: 'logs/a/b', expirationDays: 1 }]), 'warn', 'deletes some objects'],
    [
      known([{ ...rule, hasOtherFilters: true, expirationDays: 1 }]),
      'warn',
      'deletes some objects',
    ],
    [denied, 'unknown', 'the lifecycle rules of the bucket'],
  ])('of %o is %s', (reading, verdict, detail) => {
    const check = checkLifecycle(reading, 'logs/a/');

    expect(check).toMatchObject({ name: 'lifecycle', verdict });
    expect(check.detail).toContain(detail);
  });
});

test.each([
  [known([]), 'pass'],
  [denied, 'warn'],
  [{ outcome: 'unknown', problem: new Problem('aws-unavailable', 'S3 answered 503.') }, 'unknown'],
] as const)('the check of the list of objects, $0.outcome, is $1', (reading, verdict) => {
  expect(checkListing(reading)).toMatchObject({ name: 'verification', verdict });
});
