import type { Audit } from '#audit/audit.ts';
import { Problem } from '#problems/problem.ts';
import type { Log } from '#telemetry/log.ts';
import { show } from '#validation/violations.ts';
import type { Principal } from '../principal.ts';
import type {
  Authorizer,
  CallerRequest,
  Decision,
  DecisionSeries,
  Question,
} from './authorizer.ts';
import { makeDecisionCache } from './decision-cache.ts';
import { makeCedarRequests } from './policies/cedar-request.ts';
import type { Policies } from './policies/open-policies.ts';
import { contextMembers } from './policies/schema.ts';

/** What decides, and where decisions are recorded. */
export interface AuthorizerOptions {
  policies: Policies;
  audit: Audit;
  log: Pick<Log, 'error'>;
}

/** Makes an authorizer from policies. An action that they cannot decide is refused. */
export function makeAuthorizer({ policies, audit, log }: AuthorizerOptions): Authorizer {
  const toCedar = makeCedarRequests();
  const cache = makeDecisionCache(policies);

  function evaluate({ principal, checkedBy }: CallerRequest, question: Question): Decision {
    if (question.isForAnyContext) {
      const { target, logGroupName } = question.resource;
      // Most log groups of an account are of others, and this check is a thousand times faster.
      if (!policies.mayPermit(principal, question.action, target.name, logGroupName))
        return { isPermitted: false, policies: [] };
      return cache.getOrCompute(principal, question, () => {
        const isPermitted = policies.mayPermitInContext(principal, toCedar(principal, question));
        return { decision: { isPermitted, policies: [] }, isCacheable: true };
      });
    }
    const uses = (member: string) => policies.dependsOn(principal, member);
    if (question.isForEveryContext && contextMembers[question.action].some(uses)) {
      return { isPermitted: false, policies: [] }; // in some context, that policy may refuse it
    }
    // Nobody asks for a tested caller again: nothing about it is cached.
    if (checkedBy !== undefined) {
      return toDecision(principal, question, policies.test(toCedar(principal, question))).decision;
    }
    return cache.getOrCompute(principal, question, () =>
      toDecision(principal, question, policies.evaluate(principal, toCedar(principal, question))),
    );
  }

  function toDecision(
    { id: principal }: Principal,
    { action }: Question,
    { isPermitted, policies: ids, errors }: ReturnType<Policies['evaluate']>,
  ) {
    if (errors.length > 0) {
      const facts = { action, principal, errors: errors.slice(0, maxErrors) };
      log.error(facts, 'failed to evaluate policies; the request was refused');
    }
    return { decision: { isPermitted, policies: ids }, isCacheable: errors.length === 0 };
  }

  function decide(request: CallerRequest, question: Question): Decision {
    const decision = evaluate(request, question);
    recordOf(request, question, decision);
    return decision;
  }

  function openSeries(request: CallerRequest): DecisionSeries {
    const ids = new Set<string>();
    let first: Question | undefined;
    let permitted = 0;
    const decideNext = (question: Question) => {
      const decision = evaluate(request, question);
      if (!decision.isPermitted) {
        recordOf(request, question, decision);
        return decision;
      }
      first ??= question;
      permitted += 1;
      for (const id of decision.policies) ids.add(id);
      return decision;
    };
    return {
      decide: decideNext,
      require: (question) => requirePermitted(question, decideNext(question)),
      [Symbol.dispose]() {
        if (!first) return;
        const decision = { isPermitted: true, policies: [...ids].sort() };
        recordOf(request, first, decision, permitted === 1 ? {} : { permitted });
      },
    };
  }

  function recordOf(
    request: CallerRequest,
    { action, resource, context = {} }: Question,
    decision: Decision,
    counts: { permitted?: number } = {},
  ): void {
    record(request, action, decision, {
      target: resource.target.name,
      logGroupName: resource.logGroupName,
      webhookEndpointId: resource.webhookEndpoint?.id,
      webhookOrigin: resource.webhookEndpoint?.origin,
      destination: context.destination,
      destinationPrefix: context.destinationPrefix,
      ...counts,
    });
  }

  function record(
    { id: requestId, principal, checkedBy }: CallerRequest,
    action: string,
    { isPermitted, policies: ids }: Decision,
    facts: { target: string; [name: string]: string | number | undefined },
  ): void {
    const decision = isPermitted ? 'permit' : 'forbid';
    const who = { requestId, principal: principal.id, checkedBy };
    audit.decision({ ...who, action, decision, policies: ids, ...facts });
  }

  return {
    isOpen: false,
    isWithoutPolicies: policies.isEmpty,
    version: () => policies.version(),
    decide,
    mayPermit: ({ principal }, action, { name }, prefix) =>
      policies.mayPermit(principal, action, name, prefix),
    require: (request, question) => requirePermitted(question, decide(request, question)),
    openSeries,
    requireAny(request, action) {
      if (policies.mayPermit(request.principal, action)) return;
      record(request, action, { isPermitted: false, policies: [] }, { target: '*' });
      throw new Problem(
        'not-permitted',
        `No policy permits you to use the action ${action} on any resource.`,
      );
    },
    filterPermitted(request, items, toQuestion) {
      const decided = items.map((item) => {
        const question = toQuestion(item);
        return { item, question, ...evaluate(request, question) };
      });
      const [first] = decided;
      if (!first) return [];
      const shown = decided.filter(({ isPermitted }) => isPermitted);
      const ids = new Set(decided.flatMap((each) => each.policies));
      const targets = new Set(decided.map(({ question }) => question.resource.target.name));
      record(
        request,
        first.question.action,
        { isPermitted: shown.length > 0, policies: [...ids].sort() },
        {
          target: [...targets].join(', '),
          shown: shown.length,
          hidden: decided.length - shown.length,
        },
      );
      return shown.map(({ item }) => item);
    },
  };
}

/** @throws Problem not-permitted */
function requirePermitted(question: Question, decision: Decision): Decision {
  if (decision.isPermitted) return decision;
  throw new Problem(
    'not-permitted',
    `No policy permits you to use the action ${describe(question)}.`,
  );
}

// Each policy may fail. The first errors are enough to find the cause.
const maxErrors = 5;

// Contains only what the caller sent: nothing about policies or other callers.
function describe({ action, resource, context = {} }: Question): string {
  const { destination, destinationPrefix } = context;
  const { logGroupName, target, webhookEndpoint } = resource;
  const named = webhookEndpoint
    ? { origin: webhookEndpoint.origin }
    : { logGroupName, target: target.name };
  const values = Object.entries({ ...named, destination, destinationPrefix }).flatMap(
    ([name, value]) => (value === undefined ? [] : [`${name} ${show(value)}`]),
  );
  return `${action} with ${values.join(', ')}`;
}
