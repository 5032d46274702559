import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';

import type { ProblemKind } from '#problems/catalogue/problem-kind.ts';
import { catalogue, type ProblemSlug } from '#problems/catalogue.ts';
import { problemMediaType } from '#problems/problem.ts';
import { declaredProblems } from '#problems/problems-of-operation.ts';
import { openWorld, type World } from '../world.ts';

interface Content {
  schema: object;
  example?: unknown;
  examples?: Record<string, unknown>;
}

interface Operation {
  operationId: string;
  summary: string;
  description: string;
  security: object[];
  parameters?: { name: string }[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<
    string,
    { description: string; content?: Record<string, Content>; headers: object }
  >;
}

const require = createRequire(import.meta.url);
const json = readFileSync('openapi/openapi.json', 'utf8');
const yaml = readFileSync('openapi/openapi.yaml', 'utf8');
const document = JSON.parse(json) as {
  paths: Record<string, Record<string, Operation>>;
  webhooks: { event: { post: Operation } };
  components: {
    schemas: Record<string, { properties: Record<string, object> }>;
    examples: Record<string, { value: object }>;
    securitySchemes: Record<string, object>;
  };
};
const operations = Object.values(document.paths).flatMap((path) =>
  Object.entries(path).map(([method, operation]) => ({ method: method.toUpperCase(), operation })),
);

let world: World;
beforeAll(async () => {
  world = await openWorld({ jobs: {} });
});
afterAll(() => world[Symbol.asyncDispose]());

test('the document has no tag of operations that are switched off', async () => {
  await using withoutJobs = await openWorld();

  const { tags, paths, webhooks } = (await withoutJobs.call('GET', '/openapi.json')).body;

  expect(tags.map(({ name }: { name: string }) => name)).not.toContain('export-jobs');
  expect(tags).toHaveLength(6);
  expect(Object.keys(paths)).not.toContain('/export-jobs');
  expect(webhooks).toBeUndefined();
});

test('the document has the message of a webhook with the headers of Standard Webhooks', () => {
  const { parameters, requestBody } = document.webhooks.event.post;

  expect(parameters?.map(({ name }) => name)).toEqual([
    'webhook-id',
    'webhook-timestamp',
    'webhook-signature',
  ]);
  expect(document.webhooks.event.post, 'replaces the Java class of the tag').not.toHaveProperty(
    'tags',
  );
  // oapi-codegen removes components that no path refers to.
  expect(JSON.stringify(requestBody)).not.toContain('$ref');
});

test('the service serves exactly the committed document', async () => {
  const served = await world.call('GET', '/openapi.json');
  const servedYaml = await world.call('GET', '/openapi.yaml');

  expect(served.text, 'run "npm run openapi"').toBe(json);
  expect(servedYaml.text, 'run "npm run openapi"').toBe(yaml);
  expect(servedYaml.headers.get('content-type')).toContain('application/yaml');
});

test.each(['/docs/json', '/docs/yaml'])('%s redirects to the document', async (path) => {
  const answer = await world.call('GET', path);

  expect(answer.status).toBe(302);
  expect(answer.headers.get('location')).toBe(path.replace('/docs/', '/openapi.'));
});

test('writes the limit of 64-bit integers exactly', () => {
  expect(json.match(/"maximum": 1152921504606846976\b/g)).toHaveLength(4);
  expect(yaml.match(/maximum: 1152921504606846976\b/g)).toHaveLength(4);
  for (const name of ['CreateExportTask', 'AuthorizationCheck']) {
    const { from, to } = document.components.schemas[name]?.properties ?? {};
    for (const member of [from, to]) {
      expect(member).toMatchObject({ type: 'integer', format: 'int64', minimum: 0 });
    }
  }
});

test('a member keeps its own default and description beside the reference to its type', () => {
  const { schemas } = document.components;

  expect(schemas.CreateBackfill?.properties.order).toEqual({
    $ref: '#/components/schemas/BackfillOrder',
    description: expect.stringContaining('Default: `oldest`.'),
    default: 'oldest',
  });
  expect(schemas.BackfillOrder).not.toHaveProperty('default');
  expect(schemas.Backfill?.properties.order).toEqual({
    $ref: '#/components/schemas/BackfillOrder',
  });
  expect(schemas.SliceProblem).toMatchObject({
    description: expect.stringMatching(/^The reason why a slice or an attempt failed/),
  });
  expect(schemas.Archive?.properties.stopProblem).toMatchObject({
    description: expect.stringMatching(/^The reason why the archive is stopped/),
  });
});

test('parsers of YAML 1.1 read the document like those of YAML 1.2', () => {
  expect(parseYaml(yaml, { version: '1.1', merge: false })).toEqual(JSON.parse(json));
});

test('operation ids do not change, because generated clients use them as names', () => {
  const ids = Object.entries(document.paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod).map(
      ([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`,
    ),
  );

  expect(ids).toEqual([
    'POST /export-tasks createExportTask',
    'GET /export-tasks describeExportTasks',
    'GET /export-tasks/{taskId} getExportTask',
    'POST /export-tasks/{taskId}/cancel cancelExportTask',
    'POST /export-jobs createExportJob',
    'GET /export-jobs listExportJobs',
    'GET /export-jobs/{jobId} getExportJob',
    'GET /export-jobs/{jobId}/events watchEvents',
    'GET /export-jobs/{jobId}/slices listSlices',
    'GET /export-jobs/{jobId}/objects listObjects',
    'POST /export-jobs/{jobId}/cancel cancelExportJob',
    'POST /export-jobs/{jobId}/retry retryExportJob',
    'POST /archives createArchive',
    'GET /archives listArchives',
    'GET /archives/{archiveId} getArchive',
    'PATCH /archives/{archiveId} changeArchive',
    'DELETE /archives/{archiveId} endArchive',
    'POST /archives/{archiveId}/pause pauseArchive',
    'POST /archives/{archiveId}/resume resumeArchive',
    'POST /archives/{archiveId}/backfills createBackfill',
    'GET /archives/{archiveId}/backfills listBackfills',
    'POST /archives/{archiveId}/waivers createWaiver',
    'GET /archives/{archiveId}/coverage listCoverage',
    'GET /coverage findCoverage',
    'POST /webhook-endpoints createWebhookEndpoint',
    'GET /webhook-endpoints listWebhookEndpoints',
    'GET /webhook-endpoints/{endpointId} getWebhookEndpoint',
    'PATCH /webhook-endpoints/{endpointId} changeWebhookEndpoint',
    'DELETE /webhook-endpoints/{endpointId} deleteWebhookEndpoint',
    'POST /webhook-endpoints/{endpointId}/rotate-secret rotateWebhookSecret',
    'POST /webhook-endpoints/{endpointId}/test testWebhookEndpoint',
    'GET /webhook-endpoints/{endpointId}/deliveries listWebhookDeliveries',
    'POST /webhook-endpoints/{endpointId}/deliveries/{eventId}/replay replayWebhookDelivery',
    'POST /webhook-endpoints/{endpointId}/replay replayWebhookDeliveries',
    'GET /targets listTargets',
    'GET /targets/{target} getTarget',
    'POST /preflights createPreflight',
    'POST /authorization-checks checkAuthorization',
    'GET /problems listProblems',
    'GET /problems/{slug} getProblem',
    'GET /health/live getLiveness',
    'GET /health/ready getReadiness',
    'GET /openapi.json getOpenapiJson',
    'GET /openapi.yaml getOpenapiYaml',
  ]);
});

test('operations with a rate limit declare its headers for every answer except 401', () => {
  for (const { operation } of operations) {
    const isLimited = operation.responses[429] !== undefined;
    for (const [status, { headers }] of Object.entries(operation.responses)) {
      const isTold = 'RateLimit' in headers && 'RateLimit-Policy' in headers;
      expect(isTold, `${operation.operationId} ${status}`).toBe(isLimited && status !== '401');
    }
  }
});

test('operations declare the challenges of a 401, and of no other answer', () => {
  for (const { operation } of operations) {
    for (const [status, { headers }] of Object.entries(operation.responses)) {
      const hasChallenges = 'WWW-Authenticate' in headers;
      expect(hasChallenges, `${operation.operationId} ${status}`).toBe(status === '401');
    }
  }
});

test('operations accept three kinds of credentials, or none if AUTH is none', () => {
  const names = ['bearer', 'apiKey', 'mutualTLS'];

  const open = operations.filter(({ operation }) => operation.security.length === 0);

  expect(Object.keys(document.components.securitySchemes)).toEqual(names);
  expect(open.map(({ operation }) => operation.operationId)).toEqual([
    'listProblems',
    'getProblem',
    'getLiveness',
    'getReadiness',
    'getOpenapiJson',
    'getOpenapiYaml',
  ]);
  for (const { operation } of operations) {
    if (open.some((other) => other.operation === operation)) continue;
    expect(operation.security).toEqual([{}, ...names.map((name) => ({ [name]: [] }))]);
  }
});

test('the document has no custom keywords', () => {
  expect(json).not.toMatch(/"x-/);
});

describe.each(operations)('$operation.operationId', ({ method, operation }) => {
  test('has a summary and a description', () => {
    expect(operation.summary).toMatch(/\S/);
    expect(operation.description).toMatch(/\S\.$/);
  });

  test('has examples of its body and of each success', () => {
    const successes = Object.entries(operation.responses).filter(([status]) => status < '300');
    const contents = [operation.requestBody, ...successes.map(([, response]) => response)]
      .flatMap((part) => Object.entries(part?.content ?? {}))
      .filter(([mediaType]) => mediaType !== 'text/html');

    expect(contents.length).toBeGreaterThan(0);
    for (const [mediaType, content] of contents) {
      const { example = content.examples } = content;
      expect(example, mediaType).toBeDefined();
    }
  });

  test('declares the problems that follow from its method and schema', () => {
    const { requestBody: body, parameters: params } = operation;
    const implied = declaredProblems({ method, schema: { body, params } });

    const declared = problemsOf(operation).map(([, slug]) => slug);
    expect(declared).toEqual(expect.arrayContaining(implied));
  });

  test('has each problem under its status, with an example and its headers', () => {
    for (const [status, slug] of problemsOf(operation)) {
      const response = operation.responses[status];
      const kind: ProblemKind = catalogue[slug];
      expect(status).toBe(String(kind.status));
      expect(response?.description).toContain(`\`${slug}\`: ${kind.title}.`);
      expect(response?.content?.[problemMediaType]?.schema).toEqual({
        $ref: '#/components/schemas/Problem',
      });
      expect(document.components.examples[slug]?.value).toMatchObject({
        type: `/problems/${slug}`,
        status: kind.status,
      });
      expect(response?.headers).toHaveProperty(['X-Request-Id']);
      if (kind.retryAfterSeconds) expect(response?.headers).toHaveProperty(['Retry-After']);
    }
  });
});

function problemsOf({ responses }: Operation): [status: string, slug: ProblemSlug][] {
  return Object.entries(responses).flatMap(([status, { content }]) =>
    Object.keys(content?.[problemMediaType]?.examples ?? {}).map((slug): [string, ProblemSlug] => [
      status,
      slug as ProblemSlug,
    ]),
  );
}

test('redocly reports no errors and no warnings', async () => {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [require.resolve('@redocly/cli/bin/cli.js'), 'lint', 'openapi/openapi.yaml', '--format=json'],
    { env: { ...process.env, CI: 'true', REDOCLY_TELEMETRY: 'off' } }, // CI: no search for updates
  );

  expect(JSON.parse(stdout), stderr).toMatchObject({
    totals: { errors: 0, warnings: 0, ignored: 0 },
  });
});
