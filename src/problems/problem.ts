import { type Static, Type } from '@sinclair/typebox';
import type { ProblemKind } from './catalogue/problem-kind.ts';
import { catalogue, type ProblemSlug } from './catalogue.ts';

/** The media type of every problem (RFC 9457). */
export const problemMediaType = 'application/problem+json';

/** One member of a request that breaks a rule, and what would be right. */
export type Violation = Static<typeof Violation>;
export const Violation = Type.Object(
  {
    in: Type.Unsafe<'body' | 'query' | 'path' | 'header'>({
      title: 'RequestPart',
      type: 'string',
      enum: ['body', 'query', 'path', 'header'],
      description: 'The part of the request that pointer points into.',
    }),
    pointer: Type.String({
      description: 'JSON pointer to the member, as a URI fragment (RFC 6901, section 6).',
    }),
    detail: Type.String({ description: 'What would be right.' }),
  },
  { title: 'Violation', description: 'One member of a request that breaks a rule.' },
);

/** A problem as it is sent: RFC 9457 with this service's extension members. */
export type ProblemBody = Static<typeof ProblemBody>;
export const ProblemBody = Type.Object(
  {
    type: Type.String({
      format: 'uri-reference',
      description: 'Where the problem is explained, relative to this service.',
    }),
    title: Type.String({ description: 'What kind of problem it is.' }),
    status: Type.Integer({ description: 'The HTTP status of the answer.' }),
    detail: Type.String({ description: 'What happened in this case.' }),
    instance: Type.String({
      format: 'uri',
      description: 'urn:uuid of the request; the log has it as requestId.',
    }),
    isRetryable: Type.Boolean({
      description: 'Whether the same request, sent again later, may succeed.',
    }),
    remedy: Type.String({ description: 'What to do about it.' }),
    errors: Type.Optional(
      Type.Array(Violation, { description: 'With invalid-request: what breaks which rule.' }),
    ),
    awsErrorCode: Type.Optional(
      Type.String({ description: 'The code of the error AWS answered.' }),
    ),
    awsRequestId: Type.Optional(Type.String({ description: 'The id AWS gave its answer.' })),
    slotHolder: Type.Optional(
      Type.Object(
        {
          taskId: Type.String(),
          taskName: Type.Optional(Type.String()),
          logGroupName: Type.Optional(Type.String()),
          status: Type.String(),
          since: Type.Optional(Type.String({ format: 'date-time' })),
        },
        {
          title: 'SlotHolder',
          description: 'With export-slot-taken: the export task that is active.',
        },
      ),
    ),
    exportTask: Type.Optional(
      Type.Object(
        { taskId: Type.String() },
        {
          title: 'FinishedExportTask',
          additionalProperties: true,
          description: 'With export-task-already-finished: the task.',
        },
      ),
    ),
    bucketPolicy: Type.Optional(
      Type.Object(
        {},
        {
          title: 'BucketPolicy',
          additionalProperties: true,
          description: 'With destination-not-writable: a bucket policy that permits the export.',
        },
      ),
    ),
  },
  {
    title: 'Problem',
    additionalProperties: true,
    description: 'RFC 9457 problem details.',
  },
);

/** Members of one problem beyond what its kind says. `cause` is internal: it is logged and never sent. */
export interface ProblemMembers
  extends Partial<
    Pick<
      ProblemBody,
      | 'isRetryable'
      | 'remedy'
      | 'errors'
      | 'awsErrorCode'
      | 'awsRequestId'
      | 'slotHolder'
      | 'exportTask'
      | 'bucketPolicy'
    >
  > {
  retryAfterSeconds?: number | undefined;
  /** The challenges of a 401, for the `WWW-Authenticate` header. */
  challenges?: readonly string[] | undefined;
  cause?: unknown;
}

/** A way the service says no. `detail` and `members` are public; `cause` is not. */
export class Problem extends Error {
  readonly slug: ProblemSlug;
  readonly kind: ProblemKind;
  readonly detail: string;
  readonly members: ProblemMembers;

  constructor(slug: ProblemSlug, detail: string, members: ProblemMembers = {}) {
    super(`${slug}: ${detail}`, { cause: members.cause });
    this.name = 'Problem';
    this.slug = slug;
    this.kind = catalogue[slug];
    this.detail = detail;
    this.members = members;
  }

  /** Seconds for the `Retry-After` header, if there is one to send. */
  get retryAfterSeconds(): number | undefined {
    return this.members.retryAfterSeconds ?? this.kind.retryAfterSeconds;
  }
}

/**
 * Renders a problem for the caller. `requestId` is the UUID of the request it happened in, `basePath`
 * what callers put before every path.
 */
export function toProblemBody(problem: Problem, requestId: string, basePath: string): ProblemBody {
  const {
    cause: _internal,
    retryAfterSeconds: _header,
    challenges: _too,
    ...members
  } = problem.members;
  return {
    type: `${basePath}/problems/${problem.slug}`,
    title: problem.kind.title,
    status: problem.kind.status,
    detail: problem.detail,
    instance: `urn:uuid:${requestId}`,
    isRetryable: problem.kind.isRetryable,
    ...members,
    remedy: withBasePath(members.remedy ?? problem.kind.remedy, basePath),
  };
}

/**
 * A text of this service with the paths in it as callers know them: below the base path. A path is
 * recognised by the method before it, as in `GET /problems`.
 */
export function withBasePath(text: string, basePath: string): string {
  return text.replace(/\b(GET|POST) \//g, `$1 ${basePath}/`);
}
