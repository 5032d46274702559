import { withoutTrailingSlashes } from '#aws/destination-prefix.ts';
import type { LifecycleRule, ObjectLock, Reading } from '#aws/storage/storage.ts';
import { countOf } from '#problems/limits.ts';
import { toDateTime } from '#time/date-time.ts';
import type { Check } from '../check.ts';
import { isRead, knownValue, unreadable } from '../readings.ts';

/** Checks who owns the objects that CloudWatch Logs writes. */
export function checkOwnership(reading: Reading<string>, isOwn: boolean | undefined): Check {
  const name = 'object-ownership';
  if (!isRead(reading)) {
    const what = 'Object Ownership of the bucket';
    return unreadable(name, { what, permission: 's3:GetBucketOwnershipControls' }, reading);
  }
  const value = knownValue(reading);
  if (value === 'BucketOwnerEnforced') {
    const detail = 'ACLs are disabled. The owner of the bucket owns all objects.';
    return { name, verdict: 'pass', detail };
  }
  const setting = `Object Ownership is ${value ?? 'not set'}, so ACLs are enabled.`;
  if (value === 'BucketOwnerPreferred' && isOwn !== false) {
    const detail = `${setting} The owner of the bucket owns the exported objects.`;
    return { name, verdict: 'pass', detail };
  }
  const also = isOwn === false ? ' The service role also needs s3:PutObjectAcl.' : '';
  return {
    name,
    verdict: 'warn',
    detail: `${setting} The owner of the bucket may not own the exported objects.${also}`,
    remedy:
      'Set Object Ownership of the bucket to BucketOwnerEnforced, unless something needs ACLs.',
  };
}

/** Notes Object Lock. Exports work with it. */
export function checkObjectLock(reading: Reading<ObjectLock>): Check {
  const name = 'object-lock';
  if (!isRead(reading)) {
    const permission = 's3:GetBucketObjectLockConfiguration';
    return unreadable(name, { what: 'Object Lock of the bucket', permission }, reading);
  }
  const pass = (detail: string): Check => ({ name, verdict: 'pass', detail });
  const value = knownValue(reading);
  if (!value) return pass('Object Lock is disabled.');
  const { mode, days } = value;
  if (mode === undefined) return pass('Object Lock is enabled, without a default retention.');
  const period = days === undefined ? '' : ` for ${countOf(days, 'day')}`;
  return pass(`Object Lock in mode ${mode} protects the exported objects from deletion${period}.`);
}

/** Checks that no lifecycle rule deletes the exported objects unexpectedly. */
export function checkLifecycle(
  reading: Reading<LifecycleRule[]>,
  destinationPrefix: string,
): Check {
  const name = 'lifecycle';
  if (!isRead(reading)) {
    const what = 'the lifecycle rules of the bucket';
    return unreadable(name, { what, permission: 's3:GetLifecycleConfiguration' }, reading);
  }
  const keys = `${withoutTrailingSlashes(destinationPrefix)}/`;
  const rule = knownValue(reading)?.find(
    ({ isEnabled, prefix, expirationDays, expirationDate }) =>
      isEnabled &&
      (expirationDays !== undefined || expirationDate !== undefined) &&
      (keys.startsWith(prefix) || prefix.startsWith(keys)),
  );
  if (!rule) {
    return { name, verdict: 'pass', detail: 'No lifecycle rule deletes objects under the prefix.' };
  }
  const { id, prefix, hasOtherFilters, expirationDays, expirationDate = 0 } = rule;
  const which = id === undefined ? 'A lifecycle rule' : `Lifecycle rule ${JSON.stringify(id)}`;
  const some = hasOtherFilters || !keys.startsWith(prefix) ? 'some ' : '';
  const when =
    expirationDays === undefined
      ? `at ${toDateTime(expirationDate)}`
      : `after ${countOf(expirationDays, 'day')}`;
  return {
    name,
    verdict: 'warn',
    detail: `${which} deletes ${some}objects under the prefix ${when}.`,
    remedy: 'To keep the objects longer, choose another prefix or change the rule.',
  };
}

/** Checks that the verification of slices may list the objects. */
export function checkListing(reading: Reading<unknown>): Check {
  const name = 'verification';
  const permission = 's3:ListBucket';
  if (isRead(reading)) {
    const detail = 'The service role may list the objects of an export.';
    return { name, verdict: 'pass', detail };
  }
  if (reading.outcome === 'unknown') {
    return unreadable(name, { what: 'the list of objects', permission }, reading);
  }
  return {
    name,
    verdict: 'warn',
    detail: `The service role may not list the objects of an export: it lacks ${permission}. So slices complete without verification.`,
    remedy: `Ask the operator of the service to allow ${permission} for the service role. If the bucket policy denies it, ask the owner of the bucket.`,
  };
}
