import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import {
  defaultDestinationPrefix,
  effectivePrefix,
  withoutTrailingSlashes,
} from '#aws/destination-prefix.ts';
import {
  requireEach,
  requireExportAt,
  toExportQuestion,
} from '#export-jobs/access/export-question.ts';
import { prefixNotPermitted } from '#export-jobs/planning/plan-job.ts';
import { TargetQuery } from '#export-tasks/export-task.ts';
import { awsLimits } from '#problems/limits.ts';
import { awsCallProblems } from '#problems/problems-of-operation.ts';
import { Preflight } from '#targets/preflight/check.ts';
import { lookUpLogGroups } from '#targets/preflight/log-groups-reading.ts';
import type { RunPreflight } from '#targets/preflight/preflight.ts';
import { knownValue } from '#targets/preflight/readings.ts';
import { identityNamed, type Targets } from '#targets/target.ts';
import { CreatePreflight, readOptionalWindow } from '../create-preflight-body.ts';

/** What a preflight needs. */
export interface CreatePreflightOptions {
  targets: Targets;
  authorizer: Authorizer;
  preflight: RunPreflight;
  /** Epoch ms. */
  now: () => number;
}

/** Checks an export that the caller may create. It changes nothing. */
export const createPreflight: FastifyPluginAsyncTypebox<CreatePreflightOptions> = async (
  app,
  { targets, authorizer, preflight, now },
) => {
  app.route({
    method: 'POST',
    url: '/preflights',
    // Longer than the calls to AWS, of which some wait for others.
    handlerTimeout: 40_000,
    schema: {
      operationId: 'createPreflight',
      tags: ['targets'],
      summary: 'Check an export before it runs',
      description:
        'Checks everything that this service can read about an export: the bucket, its policy and its KMS key, the log groups and the queue. It writes nothing, not even a test object. A check that the service role may not make has the verdict `unknown`. The policies must permit `CreateExportJob` for each log group, as for POST /export-jobs. Without a time range, the policies get the current time as `from` and `to`. In the rate limits of a caller, a preflight counts as a create. It reads at most 150 log groups. To look for events, it calls FilterLogEvents at most five times. POST /export-jobs with `dryRun=true` has the same checks in `preflight`.',
      querystring: TargetQuery,
      body: CreatePreflight,
      response: { 200: Preflight },
    },
    config: {
      action: 'CreateExportJob',
      problems: [...awsCallProblems, 'not-permitted', 'aws-timeout'],
      timeoutProblem: 'aws-timeout',
    },
    handler: async (request) => {
      const { query, body } = request;
      const { destination, destinationPrefix = defaultDestinationPrefix } = body;
      const { logGroupNamePrefix, logStreamNamePrefix } = body;
      const window = readOptionalWindow(body, now());
      const names = body.logGroupNames ?? [logGroupNamePrefix ?? '']; // the schema requires one of them
      requireExportAt(authorizer, request, identityNamed(targets, query.target), names[0]);
      const target = targets.find(query.target);
      const range = window ?? { fromAt: now(), toAt: now() + 1 };
      const values = {
        destination,
        destinationPrefix: effectivePrefix(withoutTrailingSlashes(destinationPrefix)), // as a job has it
        priority: 0,
        ...range,
      };
      const toQuestion = (logGroupName: string) =>
        toExportQuestion(target, { logGroupName, ...values });
      // A prefix is decided like a name, before AWS is called: not every caller may learn its log groups.
      await requireEach(authorizer, request, names, toQuestion);

      const caller = request.principal.id;
      const asked =
        logGroupNamePrefix === undefined ? { logGroupNames: names } : { logGroupNamePrefix };
      const logGroups = await lookUpLogGroups(target.logs, asked, { caller });
      const found = knownValue(logGroups)?.found ?? [];
      const logGroupNames = body.logGroupNames ?? found.map(({ logGroupName }) => logGroupName);
      if (logGroupNamePrefix !== undefined) {
        const refuse = () => prefixNotPermitted(logGroupNamePrefix);
        await requireEach(authorizer, request, logGroupNames, toQuestion, refuse);
      }

      return preflight(request, target, {
        destination,
        destinationPrefix,
        logGroupNames,
        logStreamNamePrefix,
        logGroups,
        window,
        arrivals: [
          { at: window ? window.toAt + awsLimits.settlingMs : 0, slices: logGroupNames.length },
        ],
        priority: 0,
      });
    },
  });
};
