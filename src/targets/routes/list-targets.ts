import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { Target, type Targets } from '../target.ts';

/** Lists the targets in the order of the configuration. It never shows roles. */
export const listTargets: FastifyPluginAsyncTypebox<{
  targets: Targets;
  authorizer: Authorizer;
}> = async (app, { targets, authorizer }) => {
  app.route({
    method: 'GET',
    url: '/targets',
    schema: {
      operationId: 'listTargets',
      tags: ['targets'],
      summary: 'List targets',
      description:
        'Returns the AWS accounts and Regions of this service that you may see. Operations use the first configured target if the `target` parameter is absent. GET /export-jobs is an exception: it lists the jobs of all targets. A target appears after the service has checked its account with AWS STS.',
      response: {
        200: Type.Object(
          { targets: Type.Array(Target, { description: 'The targets that you may see.' }) },
          {
            title: 'TargetList',
            description: 'The list of targets.',
            examples: [
              {
                targets: [
                  {
                    name: 'default',
                    region: 'eu-west-1',
                    accountId: '123456789012',
                    isDefault: true,
                  },
                ],
              },
            ],
          },
        ),
      },
    },
    config: { action: 'ReadTarget', problems: [] },
    handler: async (request) => {
      const permitted = authorizer.filterPermitted(request, targets.list(), (target) => ({
        action: 'ReadTarget',
        resource: { target },
      }));

      return { targets: permitted };
    },
  });
};
