import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from '@sinclair/typebox';

import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import { inChunks } from '#paging/in-chunks.ts';
import {
  defaultPageLimit,
  maxDecisionsPerPage,
  NextCursor,
  type Page,
  pageParameters,
  readCursor,
  toCursor,
} from '#paging/page.ts';
import { Text } from '#validation/text.ts';
import { showTarget } from '../show-target.ts';
import { identityOf, type KnownTarget, Target, TargetStateName, type Targets } from '../target.ts';

const Query = Type.Object(
  {
    state: Type.Optional({
      ...TargetStateName,
      description: 'Return only targets in this state. Default: all states.',
    }),
    region: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 32,
        rule: 'an AWS Region, 1 to 32 characters',
        description: 'Return only targets in this AWS Region. Default: all Regions.',
      }),
    ),
    accountId: Type.Optional(
      Text({
        minLength: 12,
        maxLength: 12,
        pattern: '^[0-9]{12}$',
        rule: 'an AWS account id of 12 digits',
        description: 'Return only targets of this AWS account. Default: all accounts.',
      }),
    ),
    ...pageParameters,
  },
  { additionalProperties: false },
);

// Without a pause. Each takes some tenths of a millisecond. More: other requests wait.
const decisionsAtOnce = 20;

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
        'Returns the AWS accounts and Regions of this service that you may see, in the order of the configuration. Operations use the first configured target if the `target` parameter is absent. GET /export-jobs is an exception: it lists the jobs of all targets. A page can be short or empty and still have a `nextCursor`. If the configuration changes between two pages, a target can be missing or appear twice.',
      querystring: Query,
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
      const { limit = defaultPageLimit, cursor, ...filter } = request.query;
      const [from = 0] = readCursor(cursor, ['number']) ?? [];

      const { entries, ...page } = await readPage(request, limit, filter, Math.max(0, from));

      return { targets: entries.map((target) => showTarget(target, request.basePath)), ...page };
    },
  });

  /** Reads targets until the page is full of those that the caller may see. */
  async function readPage(
    request: CallerRequest,
    limit: number,
    filter: Pick<Static<typeof Query>, 'state' | 'region' | 'accountId'>,
    from: number,
  ): Promise<Page<KnownTarget>> {
    const entries: KnownTarget[] = [];
    let decisions = 0;
    for await (const chunk of inChunks(matching(filter, from), decisionsAtOnce)) {
      const candidates = chunk.filter(({ target }) =>
        authorizer.mayPermit(request, 'ReadTarget', identityOf(target)),
      );
      const permitted = authorizer.filterPermitted(request, candidates, ({ target }) => ({
        action: 'ReadTarget',
        resource: { target: identityOf(target) },
      }));
      for (const { target, index } of permitted) {
        if (entries.length === limit) return { entries, nextCursor: toCursor([index]) };
        entries.push(target);
      }
      decisions += chunk.length;
      const last = chunk.at(-1);
      if (last && decisions >= maxDecisionsPerPage) {
        return { entries, nextCursor: toCursor([last.index + 1]) };
      }
    }
    return { entries };
  }

  /** The targets that match a filter, each with its place in the configuration. */
  function* matching(
    { state, region, accountId }: Pick<Static<typeof Query>, 'state' | 'region' | 'accountId'>,
    from: number,
  ): Generator<{ target: KnownTarget; index: number }> {
    let index = from - 1;
    for (const target of targets.list(from)) {
      index += 1;
      const isMatch =
        (state ?? target.state) === target.state &&
        (region ?? target.region) === target.region &&
        (accountId ?? target.accountId) === target.accountId;
      if (isMatch) yield { target, index };
    }
  }
};
