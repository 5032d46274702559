import { type Audit, makeAudit } from '#audit/audit.ts';
import type { Access } from '#auth/access.ts';
import type { Authorizer, Question } from '#auth/authorization/authorizer.ts';
import type { Principal } from '#auth/principal.ts';
import { Problem } from '#problems/problem.ts';

/** The header with the name of a caller of `callersBy`. */
const callerHeader = 'x-test-caller';

/** The headers of a request from the caller with this name. */
export const as = (name: string): Record<string, string> => ({ [callerHeader]: name });

/** The principal with this name. */
export const principalOf = (name: string): Principal => ({
  id: `test#${name}`,
  issuer: 'test',
  subject: name,
  groups: [],
  claims: {},
});

/** Decides a question in a test, in place of policies. */
export type Rule = (principal: Principal, question: Question) => boolean;

/** Access for callers who are authenticated by name and authorized by a rule. */
export function callersBy(rule: Rule): (audit: Audit) => Access {
  const known = new Map<string, Principal>(); // one object per caller, as in real authentication
  return (audit) => ({
    methods: [],
    authenticate({ headers }) {
      const name = headers[callerHeader];
      if (typeof name !== 'string') {
        throw new Problem('unauthenticated', 'No name.', { challenges: ['Test'] });
      }
      const principal = known.get(name) ?? principalOf(name);
      known.set(name, principal);
      return principal;
    },
    authorizer: authorizerBy(rule, audit),
  });
}

/** An authorizer that uses a rule. */
export function authorizerBy(rule: Rule, audit: Audit = makeAudit({ write() {} })): Authorizer {
  const authorizer: Authorizer = {
    isOpen: false,
    isWithoutPolicies: () => false,
    version: () => 0,
    decide(request, question) {
      const isPermitted = rule(request.principal, question);
      const { action, resource, context = {} } = question;
      const { destination, destinationPrefix } = context;
      audit.decision({
        requestId: request.id,
        principal: request.principal.id,
        action,
        decision: isPermitted ? 'permit' : 'forbid',
        policies: isPermitted ? ['the-rule'] : [],
        target: resource.target.name,
        logGroupName: resource.logGroupName,
        destination,
        destinationPrefix,
      });
      return { isPermitted, policies: isPermitted ? ['the-rule'] : [] };
    },
    mayPermit: () => true, // a rule decides only single questions
    require(request, question) {
      const decision = authorizer.decide(request, question);
      if (!decision.isPermitted) throw new Problem('not-permitted', 'The rule forbids it.');
      return decision;
    },
    openSeries: (request) => ({
      decide: (question) => authorizer.decide(request, question),
      require: (question) => authorizer.require(request, question),
      [Symbol.dispose]() {},
    }),
    requireAny() {}, // a rule may permit anything
    filterPermitted: (request, items, toQuestion) =>
      items.filter((item) => rule(request.principal, toQuestion(item))),
  };
  return authorizer;
}
