import { seedExamples } from 'cloudwatch-logs-export-emulator/source';
import { expect, test } from 'vitest';
import { exampleArchiveId } from '#archives/presenters/archive-view.ts';
import { acceptArchive } from '#archives/store/requests/accept-archive.ts';
import { exampleJobId } from '#export-jobs/export-job.ts';
import { acceptJob } from '#export-jobs/store/requests/accept-job.ts';
import { exampleDelivery } from '#webhook-endpoints/contract/delivery-view.ts';
import { exampleEndpointId } from '#webhook-endpoints/contract/endpoint-view.ts';
import { givenLogGroup, planOfArchive } from '../archives/archives-of-callers.ts';
import { bringTo, planOf } from '../export-jobs/accepted-jobs.ts';
import { requestOf } from '../export-jobs/caller-requests.ts';
import { givenDelivery, givenEndpoint } from '../webhook-endpoints/given-endpoint.ts';
import { openWorld } from '../world.ts';

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  example?: string;
  examples?: Record<string, { value: string }>;
  schema: { examples?: string[] };
}

interface Operation {
  operationId: string;
  parameters?: Parameter[];
  requestBody?: {
    content: {
      'application/json': { example?: unknown; examples?: Record<string, { value: unknown }> };
    };
  };
}

function exampleOf({ example, examples, schema }: Parameter): string | undefined {
  return example ?? Object.values(examples ?? {})[0]?.value ?? schema.examples?.[0];
}

test('every example of the document works in the demo', async () => {
  const targets = [
    { name: 'default', region: 'eu-west-1' },
    { name: 'busy', region: 'us-east-1' },
  ];
  await using world = await openWorld({ targets, jobs: {} });
  seedExamples(world.emulator.seed);
  await acceptJob(world.database, {
    jobId: exampleJobId,
    request: requestOf('anonymous'),
    acceptedAt: Date.UTC(2024, 4, 4),
    keyUse: undefined,
    plan: planOf(1),
    maxWaitingSlices: 0,
  });
  await acceptArchive(world.database, {
    archiveId: exampleArchiveId,
    request: requestOf('anonymous'),
    target: 'default',
    createdAt: Date.UTC(2024, 4, 4),
    keyUse: undefined,
    plan: planOfArchive({ logGroupNames: null, logGroupNamePrefix: '/demo/' }),
  });
  await givenLogGroup(world.database, exampleArchiveId, { logGroupName: '/demo/checkout' });
  await givenEndpoint(world.database, { id: exampleEndpointId });
  const { eventId } = exampleDelivery;
  await givenDelivery(world.database, { destination: exampleEndpointId, eventId });
  await bringTo(world.database, exampleJobId, 0, 'completed'); // so its event stream ends
  const { paths } = JSON.parse(world.app.openapiText()) as {
    paths: Record<string, Record<string, Operation>>;
  };

  const operations = Object.entries(paths)
    .flatMap(([path, byMethod]) =>
      Object.entries(byMethod).map(([method, operation]) => ({ path, method, ...operation })),
    )
    .sort((one, other) => Number(one.method === 'delete') - Number(other.method === 'delete'));

  const answers: [string, number][] = [];
  for (const { path, method, operationId, parameters = [], requestBody } of operations) {
    const headers: Record<string, string> = {};
    const url = parameters.reduce((known, parameter) => {
      const value = exampleOf(parameter);
      if (value === undefined) return known;
      if (parameter.in === 'path') return known.replace(`{${parameter.name}}`, value);
      if (parameter.in === 'query')
        return `${known}${known.includes('?') ? '&' : '?'}${parameter.name}=${value}`;
      headers[parameter.name] = value;
      return known;
    }, path);
    const json = requestBody?.content['application/json'];
    const body = json && (json.example ?? Object.values(json.examples ?? {})[0]?.value);
    const { status } = await world.call(method.toUpperCase(), url, body, headers);
    answers.push([operationId, status]);
  }

  expect(Object.fromEntries(answers)).toEqual({
    createExportTask: 201,
    describeExportTasks: 200,
    getExportTask: 200,
    cancelExportTask: 202,
    createExportJob: 202,
    listExportJobs: 200,
    getExportJob: 200,
    watchEvents: 200,
    listSlices: 200,
    listObjects: 200,
    cancelExportJob: 202,
    retryExportJob: 202,
    createArchive: 201,
    listArchives: 200,
    getArchive: 200,
    changeArchive: 200,
    endArchive: 200,
    pauseArchive: 200,
    resumeArchive: 200,
    findCoverage: 200,
    createBackfill: 201,
    listBackfills: 200,
    createWaiver: 201,
    listCoverage: 200,
    createWebhookEndpoint: 201,
    listWebhookEndpoints: 200,
    getWebhookEndpoint: 200,
    changeWebhookEndpoint: 200,
    deleteWebhookEndpoint: 200,
    rotateWebhookSecret: 200,
    testWebhookEndpoint: 202,
    listWebhookDeliveries: 200,
    replayWebhookDelivery: 202,
    replayWebhookDeliveries: 202,
    listTargets: 200,
    getTarget: 200,
    createPreflight: 200,
    checkAuthorization: 200,
    listProblems: 200,
    getProblem: 200,
    getLiveness: 200,
    getReadiness: 200,
    getOpenapiJson: 200,
    getOpenapiYaml: 200,
  });
});
