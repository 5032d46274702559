import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { Text } from '#validation/text.ts';
import type { JobVisibility } from '../job-visibility.ts';
import { redactSlotStatus } from '../redact-slot-status.ts';
import { TargetStatus } from '../slot.ts';
import type { SlotReader } from '../slot-reader.ts';
import type { Targets } from '../target.ts';

const Params = Type.Object(
  {
    target: Text({
      minLength: 1,
      maxLength: 64,
      rule: 'the name of a target, 1 to 64 characters',
      description: 'The name of a target.',
      examples: ['default'],
    }),
  },
  { additionalProperties: false },
);

/** Shows a target: what is in its slot, and who waits for it. */
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
      summary: 'Show a target and its slot',
      description:
        'What holds the slot now and, where there are export jobs, who waits for it and how busy they kept it. AWS is asked only where the export jobs do not know, and then once in five seconds, however many ask; `seenAt` says of when the answer is. Whose task or job holds the slot, and who waits, is told to those who may know.',
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
