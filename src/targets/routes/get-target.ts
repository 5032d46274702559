import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { inWords } from '#problems/limits.ts';
import { Text } from '#validation/text.ts';
import { targetNotFound } from '../registry/target-entry.ts';
import { showTarget } from '../show-target.ts';
import type { JobVisibility } from '../slot/job-visibility.ts';
import { redactSlotStatus } from '../slot/redact-slot-status.ts';
import { TargetStatus } from '../slot/slot.ts';
import { type SlotReader, slotFreshForMs } from '../slot/slot-reader.ts';
import { identityOf, type Targets } from '../target.ts';

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
      description: `Returns the state of the slot. If export jobs are enabled, it also returns the queue and \`busyShareLastHour\`. If no export job holds the slot, the service reads its state from AWS. All callers share these reads: there is at most one in ${inWords(slotFreshForMs)}. \`slot\` is absent if no export job holds it and the target is not \`ready\`. \`seenAt\` is the time of the observation. Details of tasks, jobs and callers appear only if you may see them.`,
      params: Params,
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
      const target = targets.look(request.params.target);
      if (!target) throw targetNotFound();
      const identity = identityOf(target);
      const question = { action: 'ReadTarget', resource: { target: identity } } as const;
      if (!authorizer.decide(request, question).isPermitted) throw targetNotFound();

      const status = await slots.readSlot(target);

      return {
        ...showTarget(target, request.basePath),
        ...(await redactSlotStatus({ authorizer, visibility }, request, identity, status)),
      };
    },
  });
};
