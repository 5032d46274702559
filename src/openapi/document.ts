import { problemExamples } from '#problems/catalogue/examples.ts';
import { terms } from '#problems/catalogue/terms.ts';
import { catalogue, type ProblemSlug } from '#problems/catalogue.ts';
import { ProblemBody, problemMediaType } from '#problems/problem.ts';
import { liftSchemas } from './lift-schemas.ts';

type Json = Record<string, unknown>;

interface DocumentedOperation {
  operationId: string;
  tags: string[];
  responses: Record<string, Json & { content?: Json; headers?: Json }>;
  security?: object[];
}

type Path = Record<string, DocumentedOperation>;

/** A response header that appears only in routes that name it. */
export type ResponseHeader = 'Location' | 'Age' | 'ETag';

/** Facts about a route that are not in its schema. */
export interface OperationFacts {
  problems: readonly ProblemSlug[];
  headers: Record<number, ResponseHeader[]>;
  /** Media types of a success; a page besides JSON is documented as text. */
  produces: readonly string[];
  /** Whether it needs no authentication. */
  isPublic: boolean;
}

/** The part of the document that no route contributes. */
export const documentBase = {
  openapi: '3.1.1',
  info: {
    title: 'log-export-gateway',
    version: '0.1.0',
    summary: 'A REST API to export CloudWatch Logs to S3.',
    description:
      'An HTTP service that exports CloudWatch Logs to S3. It calls AWS with its own IAM role (the service role). So its callers need no AWS credentials and no AWS SDK.\n\nAnswers are JSON, except event streams, `/openapi.yaml` and the HTML pages of `/problems`. Every error is `application/problem+json` (RFC 9457). Its `type` is the URL path of a page of this service that explains the error. `GET /problems` lists all problems. Every answer has an `X-Request-Id` header. The log of the service has the same id.\n\nThe setting `AUTH` decides how callers authenticate: with a token, an API key, a client certificate, or not at all. Operations with `security: []` never need credentials. All other operations need them unless `AUTH` is `none`.\n\nThe integers `from` and `to` of export tasks have 64 bits and can be larger than 2^53. Use a JSON library that keeps all digits. In request bodies, a member that is `null` counts as absent. PATCH is an exception: there, an absent member stays as it is, and `null` resets a member to its default.\n\n## Terms\n\n' +
      terms.map(([term, meaning]) => `- **${term}**: ${meaning}`).join('\n'),
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: '/', description: 'This service.' }],
  tags: [
    {
      name: 'export-tasks',
      description:
        'Single export tasks in AWS: create, list, get and cancel. The operations call CreateExportTask, DescribeExportTasks and CancelExportTask. If several callers send the same read, the service calls AWS once for all of them. Members have the same names as in AWS, and the limits of AWS apply. In addition, the service rejects control characters, malformed Unicode and some values of `taskName`. This service stores nothing about these tasks.',
    },
    {
      name: 'export-jobs',
      description:
        'A durable queue in front of the export slot of AWS. A job is split into slices: each is one log group over one interval. The slot is the place for the one active export task that AWS allows per account and Region. A slice becomes an export task when the slot is free. A slice goes back into the queue if the slot is taken or AWS throttles. The same happens if AWS cannot be reached or the service role is unusable. In these four cases the slice has not failed. If the export task of a slice fails, the service sends the slice again. After the second failed task, it splits the slice into shorter ones, if that can help. It also sends a slice again if the answer of AWS to CreateExportTask was lost and AWS lists no task. After several failed tasks or lost answers, the slice fails. To retry the slices that are `failed`, send POST /export-jobs/{jobId}/retry. The operator can disable export jobs (EXPORT_JOBS=off). Then these operations answer 404 `no-such-route`.',
    },
    {
      name: 'archives',
      description:
        'Standing exports. An archive states which log groups this service exports, and from which time on. A partition is one log group over one calendar unit in UTC. Each partition becomes an export job. A partition is covered when its export is verified: the objects of the export were found complete in S3. The service compares the partitions that are due with those that are covered, and exports the rest. So a pause or an outage only delays exports. But partitions older than `catchUpDays` need a backfill, and log events that expire before their export are lost. The operator can disable archives together with export jobs (EXPORT_JOBS=off). Then these operations answer 404 `no-such-route`.',
    },
    {
      name: 'coverage',
      description:
        'Search for verified exports in S3 by log group and time range. The operator can disable coverage together with export jobs (EXPORT_JOBS=off). Then this operation answers 404 `no-such-route`.',
    },
    {
      name: 'webhook-endpoints',
      description:
        'URLs that get your events: a job of yours has ended, or an archive of yours needs attention. Messages are signed as Standard Webhooks 1.0.0 defines, and sent at least once. Each caller has its own endpoints. With the setting WEBHOOKS=off or EXPORT_JOBS=off there are no webhooks. Then these operations answer 404 `no-such-route`.',
    },
    { name: 'targets', description: 'The AWS accounts and Regions in which exports run.' },
    { name: 'authorization', description: 'Tests of what the policies permit.' },
    { name: 'problems', description: 'The catalogue of errors, with explanations.' },
    { name: 'health', description: 'Liveness and readiness probes.' },
    { name: 'openapi', description: 'This API description.' },
  ],
};

// AUTH selects one or several of them, or none.
const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'A JWT from a trusted issuer, with this service as its audience. Accepted if `AUTH` includes `jwt`.',
  },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-Api-Key',
    description:
      'An API key that the operator has registered. Accepted if `AUTH` includes `api-key`.',
  },
  mutualTLS: {
    type: 'mutualTLS',
    description:
      'A client certificate from the client CA of this service. Accepted if `AUTH` includes `mtls`.',
  },
} as const;
const anyScheme = [{}, ...Object.keys(securitySchemes).map((name) => ({ [name]: [] }))];

const headers = {
  Location: { description: 'URL path of what was created.', schema: { type: 'string' } },
  Age: {
    description: 'Age of the AWS answer in seconds (RFC 9111).',
    schema: { type: 'integer', minimum: 0 },
  },
  ETag: {
    description:
      'Version of the job and its position in the queue, or version of the archive. If only an estimate changes, the `ETag` stays the same. To get only a changed version, send it as `If-None-Match`. To change an archive, send it as `If-Match`.',
    schema: { type: 'string' },
  },
  'Retry-After': {
    description: 'Seconds to wait before you send the request again.',
    schema: { type: 'integer' },
  },
  RateLimit: {
    description:
      'Remaining requests: `r` more requests in the next `t` seconds (draft-ietf-httpapi-ratelimit-headers-10). The limit named `creates` is for requests that create or change something, except cancels. Dry runs and POST /preflights count there, too. The limit named `requests` is for all other requests. This header has the one of the two limits that counts the request. Absent if your requests have no limit.',
    schema: { type: 'string' },
    example: '"creates";r=117;t=42',
  },
  'RateLimit-Policy': {
    description:
      'Your limit, with its name: `q` requests per `w` seconds. Absent if your requests have no limit.',
    schema: { type: 'string' },
    example: '"creates";q=120;w=60',
  },
  'WWW-Authenticate': {
    description:
      'One challenge for each accepted method: `Bearer`, `ApiKey` or `ClientCertificate`. If credentials were sent, the `error` parameter says why they were refused. Otherwise the header has no `error` parameter.',
    schema: { type: 'string' },
    example: 'Bearer realm="log-export-gateway", error="invalid_token"',
  },
  'X-Request-Id': {
    description: 'The id of this request. The log has the same id.',
    schema: { type: 'string', format: 'uuid' },
  },
} as const;

/**
 * Completes the document of @fastify/swagger: adds problems and headers of each operation, makes named
 * schemas components, converts our own keywords, and sorts the paths by their tags.
 */
export function completeDocument<
  Document extends { paths?: object; webhooks?: object; components?: object; tags?: object[] },
>(found: Document, facts: ReadonlyMap<string, OperationFacts>): Document {
  const { components: _none, paths: collected, webhooks, tags: _all, ...head } = found;
  const sorted = Object.entries((collected ?? {}) as Record<string, Path>).sort(
    ([, one], [, other]) => rankOf(one) - rankOf(other),
  );
  const schemas: Json = {};
  const paths = liftSchemas(Object.fromEntries(sorted), schemas) as Record<string, Path>;
  liftSchemas(ProblemBody, schemas);
  const used = new Set<ProblemSlug>();
  for (const operation of Object.values(paths).flatMap((path) => Object.values(path))) {
    const fact = facts.get(operation.operationId);
    if (!fact) continue;
    operation.security = fact.isPublic ? [] : anyScheme;
    completeSuccesses(operation.responses, fact);
    addProblems(operation.responses, fact.problems);
    if (!fact.isPublic) addLimits(operation.responses);
    for (const slug of fact.problems) used.add(slug);
  }
  const usedTags = new Set(Object.values(paths).map(tagOf));
  const tags = documentBase.tags.filter(({ name }) => usedTags.has(name)); // jobs may be off
  const examples = Object.entries(problemExamples).filter(([slug]) =>
    used.has(slug as ProblemSlug),
  );
  return {
    ...head,
    tags,
    paths,
    ...(webhooks && { webhooks }),
    components: { schemas, headers, examples: Object.fromEntries(examples), securitySchemes },
  } as Document;
}

const tagOf = (path: Path): string | undefined => Object.values(path)[0]?.tags[0];

const rankOf = (path: Path): number =>
  documentBase.tags.findIndex(({ name }) => name === tagOf(path));

function completeSuccesses(
  responses: DocumentedOperation['responses'],
  fact: OperationFacts,
): void {
  for (const [status, response] of Object.entries(responses)) {
    const names = ['X-Request-Id', ...(fact.headers[Number(status)] ?? [])];
    response.headers = Object.fromEntries(names.map(refToHeader));
    if (status === '204' || status === '304') continue; // it has no body
    const { content = {} } = response;
    for (const mediaType of fact.produces) content[mediaType] ??= { schema: { type: 'string' } };
    response.content = content;
  }
}

function addProblems(
  responses: DocumentedOperation['responses'],
  problems: readonly ProblemSlug[],
): void {
  const byStatus = Map.groupBy(problems, (slug) => catalogue[slug].status);
  for (const [status, slugs] of byStatus) {
    const hasRetryAfter = slugs.some((slug) => 'retryAfterSeconds' in catalogue[slug]);
    const names = [
      'X-Request-Id',
      ...(hasRetryAfter ? ['Retry-After'] : []),
      ...(status === 401 ? ['WWW-Authenticate'] : []),
    ];
    responses[status] = {
      description: slugs.map((slug) => `\`${slug}\`: ${catalogue[slug].title}.`).join('\n\n'),
      headers: Object.fromEntries(names.map(refToHeader)),
      content: {
        [problemMediaType]: {
          schema: { $ref: '#/components/schemas/Problem' },
          examples: Object.fromEntries(
            slugs.map((slug) => [slug, { $ref: `#/components/examples/${slug}` }]),
          ),
        },
      },
    };
  }
}

/** A 401 has no RateLimit headers: without authentication there is no budget. */
function addLimits(responses: DocumentedOperation['responses']): void {
  for (const [status, response] of Object.entries(responses)) {
    if (status === '401') continue;
    const fields = ['RateLimit-Policy', 'RateLimit'].map(refToHeader);
    response.headers = { ...response.headers, ...Object.fromEntries(fields) };
  }
}

function refToHeader(name: string): [string, Json] {
  return [name, { $ref: `#/components/headers/${name}` }];
}
