import { type Static, Type } from '@sinclair/typebox';
import type { ProblemKind } from './catalogue/problem-kind.ts';
import { catalogue } from './catalogue.ts';
import { IsRetryable, withBasePath } from './problem.ts';

/** A kind of problem as the catalogue shows it. */
export const ProblemExplanation = Type.Object(
  {
    type: Type.String({
      description: 'URL path of the problem. It is the `type` member of an error.',
    }),
    slug: Type.String({ description: 'Name of the problem: the last segment of `type`.' }),
    status: Type.Integer({
      description:
        'HTTP status of the error. Some problems occur only in slices, for example `export-task-failed`. No request is answered with them, and their `status` has no meaning.',
    }),
    title: Type.String({ description: 'Name of the problem in words.' }),
    explanation: Type.String({ description: 'Explanation of the problem and its cause.' }),
    remedy: Type.String({ description: 'How to fix the problem.' }),
    isRetryable: {
      ...IsRetryable,
      description: `${IsRetryable.description} The catalogue has the usual value: \`isRetryable\` of an error or a slice can differ from it. For example, \`isRetryable\` of \`database-unavailable\` is false if POST /export-jobs had no \`Idempotency-Key\`.`,
    },
  },
  {
    title: 'ProblemExplanation',
    description: 'One entry of the catalogue of problems.',
    examples: [toExplanation('export-slot-taken', catalogue['export-slot-taken'], '')],
  },
);

export type ProblemExplanation = Static<typeof ProblemExplanation>;

/** Shows an entry of the catalogue. `basePath` is what callers put before every path. */
export function toExplanation(slug: string, kind: ProblemKind, basePath: string) {
  const { status, title, isRetryable } = kind;
  const type = `${basePath}/problems/${slug}`;
  const explanation = withBasePath(kind.explanation, basePath);
  const remedy = withBasePath(kind.remedy, basePath);
  return { type, slug, status, title, explanation, remedy, isRetryable };
}
