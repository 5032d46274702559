import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import {
  AuthorizationAnswer,
  AuthorizationCheck,
  toPrincipal,
  toQuestion,
} from '../authorization/authorization-check.ts';
import type { Authorizer, TargetIdentity } from '../authorization/authorizer.ts';

/** Answers what the current policies would decide, and which of them. It performs nothing. */
export const checkAuthorization: FastifyPluginAsyncTypebox<{
  authorizer: Authorizer;
  identityNamed: (name: string | undefined) => TargetIdentity;
  findTarget: (name: string | undefined) => TargetIdentity;
}> = async (app, { authorizer, identityNamed, findTarget }) => {
  app.route({
    method: 'POST',
    url: '/authorization-checks',
    schema: {
      operationId: 'checkAuthorization',
      tags: ['authorization'],
      summary: 'Check an authorization',
      description:
        'Tests whether the policies permit an action of a caller, and returns the policies that decide. The action is not executed, and AWS is not called. If the state of the target is `unusable`, the answer is an error with the reason. Without `POLICY_DIR`, everything is permitted if `AUTH` is `none`, and nothing is permitted if `AUTH` has another value. If `POLICY_DIR` has no policy when the service starts, nothing is permitted, for all values of `AUTH`. That ends when a policy is added.',
      body: AuthorizationCheck,
      response: { 200: AuthorizationAnswer },
    },
    config: {
      action: 'CheckAuthorization',
      problems: [
        'target-not-found',
        'target-misconfigured',
        'service-role-unusable',
        'aws-unavailable',
      ],
    },
    handler: async (request) => {
      const { body, id } = request;
      const asked = { target: identityNamed(body.target) };
      authorizer.require(request, { action: 'CheckAuthorization', resource: asked });
      const target = findTarget(body.target);

      const principal = body.principal ? toPrincipal(body.principal) : request.principal;
      const checked = { principal, id, checkedBy: request.principal.id };
      const { isPermitted, policies } = authorizer.decide(checked, toQuestion(target, body));

      return { isPermitted, policies: [...policies], principal: principal.id };
    },
  });
};
