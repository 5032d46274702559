import type { Principal } from '../principal.ts';
import type { Action } from './action.ts';

/** Who asks, and the id under which the log knows the request; a Fastify request is one. */
export interface CallerRequest {
  principal: Principal;
  id: string;
  /** Who only wants to know whether the principal may, so that the audit does not say that it asked. */
  checkedBy?: string;
}

/** A target, as far as policies speak of it. */
export interface TargetIdentity {
  /** The name of the target. */
  name: string;
  accountId: string;
  region: string;
}

/** What something is done to: a log group of a target, or where there is none, the target. */
export interface Resource {
  target: TargetIdentity;
  logGroupName?: string | undefined;
}

/** The circumstances: the parsed values that are sent to AWS. `from` and `to` are epoch ms. */
export interface Circumstances {
  destination?: string | undefined;
  /** As AWS takes it: `exportedlogs` when the caller gave none. */
  destinationPrefix?: string | undefined;
  from?: bigint | undefined;
  to?: bigint | undefined;
  priority?: number | undefined;
  /** Whether the export job is the caller's own. */
  isOwn?: boolean | undefined;
}

/** May this be done? */
export interface Question {
  action: Action;
  resource: Resource;
  context?: Circumstances;
}

/** An answer, and the ids of the policies that decided; none where no policy permits. */
export interface Decision {
  isPermitted: boolean;
  policies: readonly string[];
}

/** Says who may do what. Every answer is in the audit. */
export interface Authorizer {
  /** Whether everybody may do everything, so that nothing need be looked up to decide. */
  isOpen: boolean;
  /** Grows when other policies are in force, so that a decision may be kept as long as it does not. */
  version(): number;
  decide(request: CallerRequest, question: Question): Decision;
  /**
   * Whether any policy could permit the caller this action at a target, whatever it is done to. A no
   * is final, and costs nothing to find out; it is not in the audit.
   */
  mayPermit(request: CallerRequest, action: Action, target: TargetIdentity): boolean;
  /** @throws Problem not-permitted */
  require(request: CallerRequest, question: Question): Decision;
  /**
   * Demands that some policy may permit the caller this action, whatever it is done to: what can be
   * decided before a body is read.
   * @throws Problem not-permitted
   */
  requireAny(request: CallerRequest, action: Action): void;
  /**
   * Opens decisions of many questions of one request. Each no is a line in the audit; all yeses are
   * one, with the first of them and their number, written when the series is closed.
   */
  openSeries(request: CallerRequest): DecisionSeries;
  /** Those of many that the caller may see; one line in the audit for all of them. */
  filterPermitted<Item>(
    request: CallerRequest,
    items: readonly Item[],
    toQuestion: (item: Item) => Question,
  ): Item[];
}

/** Decisions of one request. */
export interface DecisionSeries extends Disposable {
  decide(question: Question): Decision;
  /** @throws Problem not-permitted */
  require(question: Question): Decision;
}
