import type { Action } from '#auth/authorization/action.ts';
import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import { identityNamed, identityOf, type Targets } from '#targets/target.ts';
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

/** Finds the name of the target of a request. @throws an error of AWS */
export type FindTarget = (request: CallerRequest, asked: AskedTarget) => string;

// Names of targets have this form. Databases cannot keep every other text.
const nameForm = /^[\w.-]+$/;
// More names than this help nobody.
const maxNames = 10;

/**
 * Makes the search for the target of a request: the one in the path, otherwise the only one of the caller in
 * the Region that the request is signed for. Refusals name only targets that the caller can use. A name in
 * the path that no target has is treated like a target where the caller has no task.
 */
export function makeFindTarget(
  targets: Pick<Targets, 'look' | 'list'>,
  authorizer: Pick<Authorizer, 'mayPermit'>,
): FindTarget {
  return (request, { name, region, action }) => {
    if (name !== undefined) {
      const isUsable =
        nameForm.test(name) && authorizer.mayPermit(request, action, identityNamed(targets, name));
      if (isUsable) return name;
      throw invalidTarget('There is no target with the name in the path, or you may not use it.');
    }
    const inRegion = [...targets.list()].filter((target) => target.region === region);
    const usableBy = (by: Action) =>
      inRegion
        .filter((target) => authorizer.mayPermit(request, by, identityOf(target)))
        .map((target) => target.name);
    const usable =
      [usableBy('CreateExportJob'), usableBy('ReadTarget')].find(({ length }) => length > 0) ??
      // Every caller may read its own tasks at every target, so that permit shows no names.
      (inRegion.length === 1 ? usableBy(action) : []);
    const [only, ...others] = usable;
    if (only === undefined) throw invalidTarget(`You may use no target in Region ${region}.`);
    if (others.length === 0) return only;
    const names = usable.slice(0, maxNames).join(', ') + (usable.length > maxNames ? ', …' : '');
    throw invalidTarget(
      `You may use several targets in Region ${region}. Add one of them to the endpoint URL as /aws/{target}: ${names}.`,
    );
  };
}

const invalidTarget = (text: string) => awsError('InvalidParameterException', text);
