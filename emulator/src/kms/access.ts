import type { ConditionContext } from '../iam/conditions.ts';
import { type Denial, findDenial, principalNames } from '../iam/permissions.ts';
import { findEffect } from '../iam/policy.ts';
import type { Settings } from '../options/settings.ts';
import type { Caller } from '../sts/sessions.ts';
import type { KmsKey } from './keys.ts';

/**
 * Returns why a caller may not use a key: its own policies, or that of the key. The key policy must allow
 * the role, or its account, which then decides by policies of its own (documentation). For a plain access
 * key the key policy is not evaluated.
 */
export function findKeyDenial(
  key: KmsKey,
  action: string,
  caller: Caller,
  settings: Pick<Settings, 'deniedActions'>,
  context: ConditionContext = {},
): Denial | undefined {
  const { accountId, roleArn } = caller;
  const question = { action, resource: key.arn, context };
  const denial = findDenial(question, caller, settings);
  if (denial || roleArn === undefined) return denial;
  const effect = findEffect(key.policy, {
    ...question,
    principals: { type: 'AWS', names: principalNames(caller) },
    context: { ...context, 'kms:CallerAccount': accountId, 'aws:PrincipalArn': roleArn },
  });
  return effect === 'Allow' ? undefined : 'no resource-based policy allows';
}
