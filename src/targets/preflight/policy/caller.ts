import { isObject, textsOf } from './policy-document.ts';
import { anyOf, type Truth } from './truth.ts';

/** The caller of a request, as principals of a policy name it. */
export interface PolicyCaller {
  /** Whether a principal of this type, such as AWS or Service, is the caller. */
  matches(type: string, name: string): Truth;
}

/** Whether a Principal element names the caller. */
export function matchPrincipal(element: unknown, caller: PolicyCaller): Truth {
  if (element === '*') return true;
  if (element === undefined) return false;
  if (!isObject(element)) return undefined;
  // "*" and {"AWS": "*"} are the same: everyone, also services (user guide of IAM, "Principal").
  if (textsOf(element.AWS).includes('*')) return true;
  return anyOf(
    Object.entries(element).flatMap(([type, names]) =>
      textsOf(names).map((name) => caller.matches(type, name)),
    ),
  );
}

/** An AWS service, by all names of its service principal. AWS documents no wildcard for services. */
export function serviceCaller(names: readonly string[]): PolicyCaller {
  return {
    matches(type, name) {
      if (type !== 'Service') return false;
      return name === '*' ? undefined : names.includes(name);
    },
  };
}

/** A role in an account. Its ARN may be unknown. */
export interface Role {
  partition: string;
  accountId: string;
  roleArn: string | undefined;
}

/** A session of a role. */
export function roleCaller({ partition, accountId, roleArn }: Role): PolicyCaller {
  const ofAccount = [accountId, `arn:${partition}:iam::${accountId}:root`];
  const isOfAccount = (name: string) => name.split(':')[4] === accountId;
  return {
    matches(type, name) {
      if (type !== 'AWS') return false;
      if (ofAccount.includes(name) || name === roleArn) return true;
      // The name of a session, and the credentials of a target without a role, are not known here.
      const isSession = name.startsWith(`arn:${partition}:sts:`);
      return isOfAccount(name) && (isSession || roleArn === undefined) ? undefined : false;
    },
  };
}
