import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import { inWords } from '#problems/limits.ts';
import { showTargetStatus } from '../show-target.ts';
import { TargetStatus } from '../slot/slot.ts';
import { slotFreshForMs } from '../slot/slot-reader.ts';
import { type TargetAccess, TargetParams } from '../target-access.ts';

/** Shows a target, its slot and its queue. */
export const getTarget: FastifyPluginAsyncTypebox<{ access: TargetAccess }> = async (
  app,
  { access },
) => {
  app.route({
    method: 'GET',
    url: '/targets/:target',
    schema: {
      operationId: 'getTarget',
      tags: ['targets'],
      summary: 'Get a target and its slot',
      description: `Returns the state of the slot. If export jobs are enabled, it also returns the queue and \`busyShareLastHour\`. If no export job holds the slot, the service reads its state from AWS. All callers share these reads: there is at most one in ${inWords(slotFreshForMs)}. \`slot\` is absent if no export job holds it and the target is not \`ready\`. \`seenAt\` is the time of the observation. Details of tasks, jobs and callers appear only if you may see them.`,
      params: TargetParams,
      response: { 200: TargetStatus },
    },
    config: {
      action: 'ReadTarget',
      problems: [
        'target-not-found',
        'service-role-not-permitted',
        'service-role-unusable',
        'aws-throttled',
        'aws-call-budget-exhausted',
        'aws-unavailable',
        'aws-unexpected',
        'aws-timeout',
        'database-unavailable',
      ],
    },
    handler: async (request) => {
      const target = access.find(request, request.params.target);

      const status = await access.readStatus(request, target);

      return showTargetStatus(target, status, request.basePath);
    },
  });
};
