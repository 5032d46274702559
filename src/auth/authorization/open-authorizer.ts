import type { Audit } from '#audit/audit.ts';
import { openToAll } from '../access.ts';
import type { Authorizer } from './authorizer.ts';
import { makeAuthorizer } from './make-authorizer.ts';
import { noPolicies, openPolicies, type PoliciesOptions } from './policies/open-policies.ts';

/** What the authorizer is opened with. */
export interface AuthorizationOptions extends Omit<PoliciesOptions, 'directory'> {
  /** POLICY_DIR. */
  policyDir: string | undefined;
  /** Whether AUTH is not `none`. */
  isAuthenticationOn: boolean;
  audit: Audit;
}

/**
 * Opens the authorizer. Without POLICY_DIR, everything is permitted if authentication is off, and nothing
 * if it is on.
 * @throws an error named ConfigError that names file and line
 */
export async function openAuthorizer(
  options: AuthorizationOptions,
): Promise<Authorizer & AsyncDisposable> {
  const { policyDir, isAuthenticationOn, audit, log } = options;
  if (policyDir === undefined) {
    const nothingToClose = { async [Symbol.asyncDispose]() {} };
    if (!isAuthenticationOn) return { ...openToAll.authorizer, ...nothingToClose };
    log.error({}, 'POLICY_DIR is not set; every request is refused, and no slice starts');
    return { ...makeAuthorizer({ policies: noPolicies, audit, log }), ...nothingToClose };
  }
  const policies = await openPolicies({ ...options, directory: policyDir });
  return {
    ...makeAuthorizer({ policies, audit, log }),
    [Symbol.asyncDispose]: () => policies[Symbol.asyncDispose](),
  };
}
