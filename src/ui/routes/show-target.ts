import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { type ReadTimeline, timelineHours } from '#export-jobs/operations/read-timeline.ts';
import { Problem } from '#problems/problem.ts';
import { type TargetAccess, TargetParams } from '#targets/target-access.ts';
import { targetPage } from '../pages/target-page.ts';
import type { SendPage } from './send-page.ts';

const Query = Type.Object(
  {
    hours: Type.Optional(
      Type.Unsafe<(typeof timelineHours)[number]>({
        type: 'integer',
        enum: timelineHours,
        'x-rule': `one of ${timelineHours.join(', ')}`,
      }),
    ),
  },
  { additionalProperties: false },
);

/** Shows a target, its slot, its queue and its last hours. */
export const showTargetPage: FastifyPluginAsyncTypebox<{
  targetAccess: TargetAccess;
  /** Absent when jobs are off. */
  readTimeline: ReadTimeline | undefined;
  sendPage: SendPage;
  now: () => number;
}> = async (app, { targetAccess, readTimeline, sendPage, now }) => {
  app.route({
    method: 'GET',
    url: '/ui/targets/:target',
    schema: { params: TargetParams, querystring: Query },
    config: { action: 'ReadTarget' },
    handler: async (request, reply) => {
      const target = targetAccess.find(request, request.params.target);
      const { hours = 24 } = request.query;
      const timeline = await readTimeline?.(request, target, hours);
      const { status, problem } = await targetAccess.readStatus(request, target).then(
        (found) => ({ status: found, problem: undefined }),
        async (error: unknown) => {
          if (!(error instanceof Problem)) throw error;
          // Without AWS, the page shows what the export jobs know.
          const known = { ...target, state: 'unchecked' } as const;
          return { status: await targetAccess.readStatus(request, known), problem: error };
        },
      );

      const problems = [
        ...(status.startProblem
          ? [{ ...status.startProblem, label: 'Nothing starts at this target' }]
          : []),
        ...(problem ? [{ problem, label: 'The slot could not be read from AWS' }] : []),
      ];
      const { basePath } = request;
      const view = { basePath, now: now(), target, status, problems, timeline, hours };
      return sendPage(request, reply, targetPage(view));
    },
  });
};
