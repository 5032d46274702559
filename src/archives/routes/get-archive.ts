import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Authenticate } from '#auth/access.ts';
import type { ChangeWatch } from '#export-jobs/watching/change-watch.ts';
import { readWhenChanged } from '#export-jobs/watching/conditional-read.ts';
import type { WaitingRequests } from '#export-jobs/watching/waiting-requests.ts';
import type { ArchiveOperations } from '../operations/archive-operations.ts';
import { Archive, ArchiveParams, exampleArchive } from '../presenters/archive-view.ts';

const Query = Type.Object(
  {
    wait: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 30,
        description:
          'Maximum time to wait for a change of the archive, in seconds. Default: no wait. With `If-None-Match`, the answer comes at once if the `ETag` differs, otherwise at the next change. Without `If-None-Match`, the answer comes at the next change, or at once if the archive has ended.',
        'x-rule': 'an integer from 1 to 30, in seconds',
      }),
    ),
  },
  { additionalProperties: false },
);
const Headers = Type.Object({
  'If-None-Match': Type.Optional(
    Type.String({
      description:
        'The `ETag` of an earlier answer. The answer is 304 if the archive has not changed since. `*` stands for the `ETag` at the time of the request.',
    }),
  ),
});

/** Shows an archive, at once or when it has changed. */
export const getArchive: FastifyPluginAsyncTypebox<{
  operations: ArchiveOperations;
  authenticate: Authenticate;
  watch: ChangeWatch;
  /** The requests that wait. */
  polls: WaitingRequests;
}> = async (app, { operations, authenticate, watch, polls }) => {
  app.route({
    method: 'GET',
    url: '/archives/:archiveId',
    handlerTimeout: 40_000, // longer than the longest wait
    schema: {
      operationId: 'getArchive',
      tags: ['archives'],
      summary: 'Get an archive',
      description:
        'Returns the definition, the state and the progress of an archive. To follow an archive, repeat the request with `wait=30` and the last `ETag` as `If-None-Match`. The answer comes when the archive has changed, or after 30 seconds. It is 304 if nothing has changed.',
      params: ArchiveParams,
      querystring: Query,
      headers: Headers,
      response: {
        200: { ...Archive, examples: [exampleArchive] },
        304: Type.Unsafe<undefined>({
          type: 'null',
          description: 'The archive has not changed since the answer with this `ETag`.',
        }),
      },
    },
    config: {
      action: 'ReadArchive',
      isWaiting: true,
      problems: [
        'archive-not-found',
        'too-many-watchers',
        'too-many-streams',
        'database-unavailable',
      ],
      headers: { 200: ['ETag'], 304: ['ETag'] },
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const { archiveId } = request.params;
      const { wait: seconds } = request.query;
      const wait =
        seconds === undefined
          ? undefined
          : { seconds, signal: polls.admit(request.principal, reply.raw) };
      const { shown, isKnown } = await readWhenChanged({
        id: archiveId,
        watch,
        known: request.headers['if-none-match'],
        wait,
        async read() {
          const found = await operations.access.find(request, 'ReadArchive', archiveId);
          const shown = await operations.show(request, found.archive);
          return { ...shown, hasEnded: shown.archive.state === 'ended' };
        },
        async authenticateAgain() {
          request.principal = await authenticate(request.raw);
        },
      });

      reply.header('etag', shown.etag).header('cache-control', 'no-cache');
      return isKnown ? reply.code(304).send(undefined) : reply.send(shown.archive);
    },
  });
};
