import type { Action } from '#auth/authorization/action.ts';
import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import { identityOf, type KnownTarget, type Targets } from '#targets/target.ts';
import { awsError } from '../protocol/aws-error.ts';

/** What a request says about its target. */
interface AskedTarget {
  /** The name in the path; undefined if the path has none. */
  name: string | undefined;
  /** The Region of the credential scope. */
  region: string;
  /** The action that the caller must be able to do there. */
  action: Action;
}

/** Finds the target of a request. @throws an error of AWS */
export type FindTarget = (request: CallerRequest, asked: AskedTarget) => KnownTarget;

// More names than this help nobody.
const maxNames = 10;

/**
 * Makes the search for the target of a request: the one in the path, otherwise the only one of the caller in
 * the Region that the request is signed for. Refusals name only targets that the caller can use.
 * @public
 */
export function makeFindTarget(
  targets: Pick<Targets, 'look' | 'list'>,
  authorizer: Pick<Authorizer, 'mayPermit'>,
): FindTarget {
  return (request, { name, region, action }) => {
    const isUsable = (target: KnownTarget) =>
      authorizer.mayPermit(request, action, identityOf(target));
    if (name !== undefined) {
      const target = targets.look(name);
      if (target && isUsable(target)) return target;
      throw invalidTarget('There is no target with the name in the path, or you may not use it.');
    }
    const usable: KnownTarget[] = [];
    for (const target of targets.list()) {
      if (target.region === region && isUsable(target)) usable.push(target);
    }
    const [only, ...others] = usable;
    if (!only) throw invalidTarget(`You may use no target in Region ${region}.`);
    if (others.length === 0) return only;
    const names = usable.slice(0, maxNames).map((target) => target.name);
    throw invalidTarget(
      `You may use several targets in Region ${region}. Add one of them to the endpoint URL as /aws/{target}: ${names.join(', ')}${usable.length > maxNames ? ', …' : ''}.`,
    );
  };
}

const invalidTarget = (text: string) => awsError('InvalidParameterException', text);
