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
      description: 'The part of the request that has the member.',
    }),
    pointer: Type.String({
      description:
        'JSON pointer to the member, as a URI fragment (RFC 6901, section 6). For query, path and header it is `#/` and the name of the parameter. Names of headers are in lower case.',
    }),
    detail: Type.String({ description: 'The rule, and how the value differs from it.' }),
  },
  { title: 'Violation', description: 'A member of the request that breaks a rule.' },
);

/** The member `isRetryable` of a problem, with one meaning everywhere. */
export const IsRetryable = Type.Boolean({
  description:
    'Whether a client can automatically repeat what failed. If true, the repeat does no harm and can succeed later without a fix. For an error, the repeat is the same request. For a failed slice, it is POST /export-jobs/{jobId}/retry. Two kinds of jobs cannot be retried, even if `isRetryable` is true: those of an archive, and those with a requested cancel. An archive itself repeats the export of a failed partition, a few times.',
});

/** A problem as it is sent: RFC 9457 with this service's extension members. */
export type ProblemBody = Static<typeof ProblemBody>;
export const ProblemBody = Type.Object(
  {
    type: Type.String({
      format: 'uri-reference',
      description: 'URL path of the page that explains the problem.',
    }),
    title: Type.String({ description: 'Name of the problem in words.' }),
    status: Type.Integer({ description: 'HTTP status of the answer.' }),
    detail: Type.String({ description: 'Explanation of the problem for this request.' }),
    instance: Type.String({
      format: 'uri',
      description:
        '`urn:uuid:` and the id of the request. `X-Request-Id` and `requestId` in the log have the id without `urn:uuid:`.',
    }),
    isRetryable: IsRetryable,
    remedy: Type.String({ description: 'How to fix the problem.' }),
    errors: Type.Optional(
      Type.Array(Violation, {
        description: 'Members that break a rule. Present with `invalid-request`.',
      }),
    ),
    awsErrorCode: Type.Optional(
      Type.String({
        description: 'Error code from AWS. Present if AWS answered with an error that has a code.',
      }),
    ),
    awsRequestId: Type.Optional(
      Type.String({ description: 'Request id from AWS. Present if AWS answered.' }),
    ),
    slotHolder: Type.Optional(
      Type.Object(
        {
          taskId: Type.String({ description: 'Id of the export task in AWS.' }),
          taskName: Type.Optional(
            Type.String({
              description:
                'Name of the task. Absent if the task has none. Also absent if the name contains the id of an export job that you may not see.',
            }),
          ),
          logGroupName: Type.Optional(
            Type.String({ description: 'Name of the log group. Absent if AWS returned none.' }),
          ),
          status: Type.String({ description: 'State of the task, such as RUNNING.' }),
          since: Type.Optional(
            Type.String({
              format: 'date-time',
              description: 'When AWS created the task. Absent if AWS returned no time.',
            }),
          ),
        },
        {
          title: 'SlotHolder',
          description:
            'The active export task. Present with `export-slot-taken` if AWS lists the task and you may see it.',
        },
      ),
    ),
    exportTask: Type.Optional(
      // By name: this room imports no other.
      Type.Unsafe<{ taskId: string }>({
        $ref: '#/components/schemas/ExportTask',
        description:
          'The finished export task, without `from` and `to`. Present with `export-task-already-finished`.',
      }),
    ),
    bucketPolicy: Type.Optional(
      Type.Object(
        {},
        {
          title: 'BucketPolicy',
          additionalProperties: true,
          description:
            'A bucket policy that allows the export: the existing statements and the missing ones. If the service role may not read the existing policy, this member has only the missing statements. Then add them, and do not replace the policy. Present with `destination-not-writable`, unless a new statement cannot help.',
        },
      ),
    ),
  },
  {
    title: 'Problem',
    additionalProperties: true,
    description: 'An error in the format of RFC 9457 (Problem Details for HTTP APIs).',
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
  return text.replace(/\b(GET|POST|PATCH|DELETE) \//g, `$1 ${basePath}/`);
}
