import type { Principal } from '../principal.ts';
import type { Action } from './action.ts';

/** A request with its caller and its id in the log. A Fastify request is one. */
export interface CallerRequest {
  principal: Principal;
  id: string;
  /** The id of the caller that only tests the permissions of `principal`. The audit has it. */
  checkedBy?: string;
}

/** The members of a target that policies can use. */
export interface TargetIdentity {
  /** The name of the target. */
  name: string;
  accountId: string;
  region: string;
}

/** Stands for the target of a resource that has none. */
export const noTarget: TargetIdentity = { name: '*', accountId: '', region: '' };

/** The resource of an action: a log group of a target, the target itself, or a webhook endpoint. */
export interface Resource {
  target: TargetIdentity;
  logGroupName?: string | undefined;
  /** A webhook endpoint, by the origin of its URL. Its target is `noTarget`. */
  webhookEndpoint?: { id: string; origin: string } | undefined;
}

/** The circumstances of an action: the parsed values for AWS. `from` and `to` are epoch ms. */
export interface Circumstances {
  destination?: string | undefined;
  /** The prefix AWS uses: `exportedlogs` if the caller gave none. */
  destinationPrefix?: string | undefined;
  from?: bigint | undefined;
  to?: bigint | undefined;
  priority?: number | undefined;
  /** Whether the job, the archive or the webhook endpoint is the caller's own. */
  isOwn?: boolean | undefined;
}

/** A question for the policies: is this action permitted? */
export interface Question {
  action: Action;
  resource: Resource;
  context?: Circumstances;
  /** Whether the action would be permitted in some context, such as with some destination. Default: false. */
  isForAnyContext?: true;
  /** Whether the action must be permitted in every context, because the context is not known. Default: false. */
  isForEveryContext?: true;
}

/** A decision, and the ids of the policies that made it; none if no policy permits the action. */
export interface Decision {
  isPermitted: boolean;
  policies: readonly string[];
}

/** Decides whether callers are permitted to do something. Every decision is in the audit. */
export interface Authorizer {
  /** Whether everything is permitted to everybody: then nothing has to be read to decide. */
  isOpen: boolean;
  /** Whether there is no policy at all, so that everything is refused: most likely by mistake. */
  isWithoutPolicies(): boolean;
  /** Grows when the policies change. A decision may be cached until then. */
  version(): number;
  decide(request: CallerRequest, question: Question): Decision;
  /**
   * Whether any policy could permit the caller this action at a target, on some log group whose name begins with
   * the prefix. `false` is final and cheap; it is not in the audit. Default of the prefix: every log group.
   */
  mayPermit(
    request: CallerRequest,
    action: Action,
    target: TargetIdentity,
    logGroupNamePrefix?: string,
  ): boolean;
  /** @throws Problem not-permitted */
  require(request: CallerRequest, question: Question): Decision;
  /**
   * Requires that some policy may permit the caller this action on some resource. This can be decided
   * before the body is read.
   * @throws Problem not-permitted
   */
  requireAny(request: CallerRequest, action: Action): void;
  /**
   * Opens a series of decisions for one request. The audit gets one line for each refusal, and one line
   * for all permissions, with the first of them and their number, when the series is closed.
   */
  openSeries(request: CallerRequest): DecisionSeries;
  /** Returns the items that the caller may see; one line in the audit for all of them. */
  filterPermitted<Item>(
    request: CallerRequest,
    items: readonly Item[],
    toQuestion: (item: Item) => Question,
  ): Item[];
}

/** A series of decisions for one request. */
export interface DecisionSeries extends Disposable {
  decide(question: Question): Decision;
  /** @throws Problem not-permitted */
  require(question: Question): Decision;
}
