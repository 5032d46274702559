import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { NextCursor } from '#paging/page.ts';
import { showTarget } from '../show-target.ts';
import { Target } from '../target.ts';
import { type TargetAccess, TargetListQuery } from '../target-access.ts';

/** Lists the targets in the order of the configuration. It never shows roles. */
export const listTargets: FastifyPluginAsyncTypebox<{ access: TargetAccess }> = async (
  app,
  { access },
) => {
  app.route({
    method: 'GET',
    url: '/targets',
    schema: {
      operationId: 'listTargets',
      tags: ['targets'],
      summary: 'List targets',
      description:
        'Returns the AWS accounts and Regions of this service that you may see, in the order of the configuration. Operations use the first configured target if the `target` parameter is absent. GET /export-jobs and GET /archives are exceptions: they list the jobs and archives of all targets. A page can be short or empty and still have a `nextCursor`. If the configuration changes between two pages, a target can be missing or appear twice.',
      querystring: TargetListQuery,
      response: {
        200: Type.Object(
          {
            targets: Type.Array(Target, { description: 'The targets of this page.' }),
            nextCursor: NextCursor,
          },
          {
            title: 'TargetPage',
            description: 'A page of targets.',
            examples: [
              {
                targets: [
                  {
                    name: 'default',
                    region: 'eu-west-1',
                    accountId: '123456789012',
                    isDefault: true,
                    state: 'ready',
                    since: '2024-05-04T08:00:00.000Z',
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
      const { entries, ...page } = await access.list(request, request.query);

      return { targets: entries.map((target) => showTarget(target, request.basePath)), ...page };
    },
  });
};
