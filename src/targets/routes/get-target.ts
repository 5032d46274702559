import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { inWords } from '#problems/limits.ts';
import { Text } from '#validation/text.ts';
import type { JobVisibility } from '../job-visibility.ts';
import { redactSlotStatus } from '../redact-slot-status.ts';
import { TargetStatus } from '../slot.ts';
import { type SlotReader, slotFreshForMs } from '../slot-reader.ts';
import type { Targets } from '../target.ts';

const Params = Type.Object(
  {
    target: Text({
      minLength: 1,
      maxLength: 64,
      rule: 'the name of a target, 1 to 64 characters',
      description: 'Name of the target.',
      examples: ['default'],
    }),
  },
  { additionalProperties: false },
);

/** Shows a target, its slot and its queue. */
export const getTarget: FastifyPluginAsyncTypebox<{
  targets: Targets;
  slots: SlotReader;
  authorizer: Authorizer;
  visibility: JobVisibility | undefined;
}> = async (app, { targets, slots, authorizer, visibility }) => {
  app.route({
    method: 'GET',
    url: '/targets/:target',
    schema: {
      operationId: 'getTarget',
      tags: ['targets'],
      summary: 'Get a target and its slot',
      description: `Returns the state of the slot. If export jobs are enabled, it also returns the queue and \`busyShareLastHour\`. If no export job holds the slot, the state of the slot is read from AWS. The service calls AWS for this at most once in ${inWords(slotFreshForMs)} for all callers. \`seenAt\` is the time of the observation. Details of tasks, jobs and callers appear only if you may see them.`,
      params: Params,
      response: { 200: TargetStatus },
    },
    config: {
      action: 'ReadTarget',
      problems: [
        'target-not-found',
        'not-ready',
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
      const target = targets.find(request.params.target);
      authorizer.require(request, { action: 'ReadTarget', resource: { target } });

      const status = await slots.readSlot(target);

      const { name, region, accountId, isDefault } = target;
      return {
        name,
        region,
        accountId,
        isDefault,
        ...(await redactSlotStatus({ authorizer, visibility }, request, target, status)),
      };
    },
  });
};
