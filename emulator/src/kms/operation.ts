import { denialMessage } from '../iam/permissions.ts';
import type { Settings } from '../options/settings.ts';
import type { Caller } from '../sts/sessions.ts';
import { awsError } from '../wire/aws-error.ts';
import { findKeyDenial } from './access.ts';
import { arnOf, type Keys, type KmsKey } from './keys.ts';

/** The state that an operation of KMS may read or change. */
export interface KmsContext {
  caller: Caller;
  keys: Keys;
  settings: Settings;
}

const idPattern = /^(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/**
 * Finds the key that an operation is about. A key of another account that does not exist is denied like
 * one that does (quoted in public reports). The other messages are quoted too.
 * @throws NotFoundException or AccessDeniedException
 */
export function findKey(
  keyId: string,
  action: string,
  { caller, keys, settings }: KmsContext,
): KmsKey {
  const [, , , region, accountId] = keyId.split(':');
  const isArn = keyId.startsWith('arn:');
  if (isArn && region !== caller.region) {
    throw awsError('NotFoundException', `Invalid arn ${region}`);
  }
  if (!isArn && !keyId.startsWith('alias/') && !idPattern.test(keyId)) {
    throw awsError('NotFoundException', `Invalid keyId '${keyId}'`);
  }
  const key = keys.find(keyId, caller);
  const isOwn = !isArn || accountId === caller.accountId;
  if (!key && !isOwn) {
    const resource = keyId;
    throw awsError(
      'AccessDeniedException',
      `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource} because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`,
    );
  }
  if (!key) throw awsError('NotFoundException', notFoundMessage(keyId, caller));
  const denial = findKeyDenial(key, action, caller, settings);
  if (!denial) return key;
  const attempt = { action, resource: key.arn };
  throw awsError('AccessDeniedException', denialMessage(attempt, caller, denial));
}

function notFoundMessage(keyId: string, caller: Caller): string {
  const isAlias = keyId.includes('alias/');
  const arn = keyId.startsWith('arn:') ? keyId : arnOf(caller, isAlias ? keyId : `key/${keyId}`);
  return isAlias ? `Alias ${arn} is not found.` : `Key '${arn}' does not exist`;
}
