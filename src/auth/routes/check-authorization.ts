import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import {
  AuthorizationAnswer,
  AuthorizationCheck,
  toPrincipal,
  toQuestion,
} from '../authorization/authorization-check.ts';
import type { Authorizer, TargetIdentity } from '../authorization/authorizer.ts';

/** Says what the policies in force would decide, and which of them; nothing is done. */
export const checkAuthorization: FastifyPluginAsyncTypebox<{
  authorizer: Authorizer;
  findTarget: (name: string | undefined) => TargetIdentity;
}> = async (app, { authorizer, findTarget }) => {
  app.route({
    method: 'POST',
    url: '/authorization-checks',
    schema: {
      operationId: 'checkAuthorization',
      tags: ['authorization'],
      summary: 'Check what the policies say',
      description:
        'What would be decided if somebody did something now, and by which policies. Nothing is done, and AWS is not asked. What is left out counts as none: empty text, 0, false; the prefix of a task as `exportedlogs`. Where no policies are in force everything is permitted, by none.',
      body: AuthorizationCheck,
      response: { 200: AuthorizationAnswer },
    },
    config: { action: 'CheckAuthorization', problems: ['target-not-found', 'not-ready'] },
    handler: async (request) => {
      const { body, id } = request;
      const target = findTarget(body.target);
      authorizer.require(request, { action: 'CheckAuthorization', resource: { target } });

      const principal = body.principal ? toPrincipal(body.principal) : request.principal;
      const checked = { principal, id, checkedBy: request.principal.id };
      const { isPermitted, policies } = authorizer.decide(checked, toQuestion(target, body));

      return { isPermitted, policies: [...policies], principal: principal.id };
    },
  });
};
