import type { Action } from '#auth/authorization/action.ts';
import { type Authorizer, type CallerRequest, noTarget } from '#auth/authorization/authorizer.ts';
import { logGroupArn } from '#aws/arn.ts';
import { identityNamed, identityOf, type KnownTarget, type Targets } from '#targets/target.ts';
import { awsError } from '../protocol/aws-error.ts';
import { notAuthorized } from '../protocol/not-authorized.ts';
import type { WireOperation } from '../protocol/operations.ts';

/** What a request says about its target. */
interface AskedTarget {
  /** The name in the path; undefined if the path has none. */
  name: string | undefined;
  /** The Region of the credential scope. */
  region: string;
  operation: WireOperation;
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
 * the Region that the request is signed for. Refusals name only targets and Regions that the caller can use, so
 * they do not tell what else exists. A caller that can use no target has no tasks, and may create none.
 */
export function makeFindTarget(
  targets: Pick<Targets, 'look' | 'list'>,
  authorizer: Pick<Authorizer, 'mayPermit' | 'decide'>,
): FindTarget {
  return (request, asked) => {
    const { name, region, action } = asked;
    const usableBy = (by: Action, among: readonly KnownTarget[]) =>
      among.filter((target) => authorizer.mayPermit(request, by, identityOf(target)));
    const findUsable = (among: readonly KnownTarget[]) => {
      const usable = usableBy('CreateExportJob', among);
      return usable.length > 0 ? usable : usableBy('ReadTarget', among);
    };
    const all = [...targets.list()];

    if (name !== undefined) {
      const isUsable =
        nameForm.test(name) && authorizer.mayPermit(request, action, identityNamed(targets, name));
      if (isUsable) return name;
      if (findUsable(all).length === 0) throw accessDenied(request, asked);
      throw invalidTarget('There is no target with the name in the path, or you may not use it.');
    }
    const inRegion = all.filter((target) => target.region === region);
    const usable = findUsable(inRegion);
    // Every caller may read its own tasks at every target, so that permit shows no names.
    if (usable.length === 0 && inRegion.length === 1) usable.push(...usableBy(action, inRegion));
    const [only, ...others] = usable;
    if (only && others.length === 0) return only.name;
    if (only) {
      const names = listed(usable.map((target) => target.name));
      throw invalidTarget(
        `You may use several targets in Region ${region}. Add one of them to the endpoint URL as /aws/{target}: ${names}.`,
      );
    }
    const elsewhere = new Set(findUsable(all).map((target) => target.region));
    if (elsewhere.size > 0) {
      throw invalidTarget(
        `You may use no target in Region ${region}. Set the Region of the client to one of your targets: ${listed([...elsewhere])}.`,
      );
    }
    if (authorizer.mayPermit(request, action, noTarget)) return noTarget.name;
    throw accessDenied(request, asked);
  };

  /** Refuses a caller that can use no target. The refusal is in the audit. */
  function accessDenied(request: CallerRequest, { region, operation, action }: AskedTarget) {
    const logGroupName = '*';
    const resource = { target: noTarget, logGroupName };
    authorizer.decide(request, { action, resource, isForAnyContext: true });
    const arn = logGroupArn({ region, accountId: '*' }, logGroupName);
    return notAuthorized(request, operation, arn);
  }
}

const listed = (names: readonly string[]) =>
  names.slice(0, maxNames).join(', ') + (names.length > maxNames ? ', …' : '');

const invalidTarget = (text: string) => awsError('InvalidParameterException', text);
