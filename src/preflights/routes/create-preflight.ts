import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import {
  defaultDestinationPrefix,
  effectivePrefix,
  withoutTrailingSlashes,
} from '#aws/destination-prefix.ts';
import type { Reading } from '#aws/storage/storage.ts';
import { requireExportAt, toExportQuestion } from '#export-jobs/access/export-question.ts';
import { requireLogGroups } from '#export-jobs/access/require-log-groups.ts';
import { TargetQuery } from '#export-tasks/export-task.ts';
import { awsLimits } from '#problems/limits.ts';
import { awsCallProblems } from '#problems/problems-of-operation.ts';
import { Preflight } from '#targets/preflight/check.ts';
import { type LogGroupFacts, lookUpLogGroups } from '#targets/preflight/log-groups-reading.ts';
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
      const { logGroupNames, logGroupNamePrefix, logStreamNamePrefix } = body;
      const window = readOptionalWindow(body, now());
      const [first] = logGroupNames ?? [logGroupNamePrefix];
      requireExportAt(authorizer, request, identityNamed(targets, query.target), first);
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
      const caller = request.principal.id;
      const asked = logGroupNames ? { logGroupNames } : { logGroupNamePrefix: first ?? '' };
      const { listed } = await requireLogGroups(
        body,
        { authorizer, request, toQuestion },
        () => lookUpLogGroups(target.logs, asked, { caller }),
        namesOf,
      );
      const names = logGroupNames ?? namesOf(listed);

      return preflight(request, target, {
        destination,
        destinationPrefix: values.destinationPrefix,
        logGroupNames: names,
        logStreamNamePrefix,
        logGroups: listed,
        window,
        arrivals: [{ at: window ? window.toAt + awsLimits.settlingMs : 0, slices: names.length }],
        priority: 0,
      });
    },
  });
};

const namesOf = (logGroups: Reading<LogGroupFacts>) =>
  (knownValue(logGroups)?.found ?? []).map(({ logGroupName }) => logGroupName);
