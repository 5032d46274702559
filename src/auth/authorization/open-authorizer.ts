import type { Audit } from '#audit/audit.ts';
import { openToAll } from '../access.ts';
import type { Authorizer } from './authorizer.ts';
import { makeAuthorizer } from './make-authorizer.ts';
import { noPolicies, openPolicies, type PoliciesOptions } from './policies/open-policies.ts';

/** Who may do what, as configured. */
export interface AuthorizationOptions extends Omit<PoliciesOptions, 'directory'> {
  /** POLICY_DIR. */
  policyDir: string | undefined;
  /** Whether callers are told apart: AUTH is not `none`. */
  areCallersKnown: boolean;
  audit: Audit;
}

/**
 * Opens what says who may do what. Without policies it is everybody everything where callers are not
 * told apart, and nobody anything where they are.
 * @throws an error named ConfigError, naming file and line
 */
export async function openAuthorizer(
  options: AuthorizationOptions,
): Promise<Authorizer & AsyncDisposable> {
  const { policyDir, areCallersKnown, audit, log } = options;
  if (policyDir === undefined) {
    const nothingToClose = { async [Symbol.asyncDispose]() {} };
    if (!areCallersKnown) return { ...openToAll.authorizer, ...nothingToClose };
    log.warn({}, 'POLICY_DIR is not set; every request is refused');
    return { ...makeAuthorizer({ policies: noPolicies, audit, log }), ...nothingToClose };
  }
  const policies = await openPolicies({ ...options, directory: policyDir });
  return {
    ...makeAuthorizer({ policies, audit, log }),
    [Symbol.asyncDispose]: () => policies[Symbol.asyncDispose](),
  };
}
