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
    const isUsable = (target: KnownTarget, by: Action) =>
      authorizer.mayPermit(request, by, identityOf(target));
    if (name !== undefined) {
      const target = targets.look(name);
      if (target && isUsable(target, action)) return target;
      throw invalidTarget('There is no target with the name in the path, or you may not use it.');
    }
    const inRegion = [...targets.list()].filter((target) => target.region === region);
    const usableBy = (by: Action) => inRegion.filter((target) => isUsable(target, by));
    // Everybody may read their own tasks everywhere: so the tasks are where the caller may create them.
    const creatable = usableBy('CreateExportJob');
    const usable = creatable.length > 0 ? creatable : usableBy(action);
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
