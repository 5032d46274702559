import { type Static, Type } from '@sinclair/typebox';
import type { ProblemKind } from './catalogue/problem-kind.ts';
import { catalogue } from './catalogue.ts';
import { withBasePath } from './problem.ts';

/** A kind of problem as the catalogue shows it. */
export const ProblemExplanation = Type.Object(
  {
    type: Type.String({ description: 'The `type` of such a problem.' }),
    slug: Type.String({ description: 'Its name in the catalogue.' }),
    status: Type.Integer({ description: 'The HTTP status it is answered with.' }),
    title: Type.String(),
    explanation: Type.String({ description: 'What happened and why.' }),
    remedy: Type.String({ description: 'What to do about it.' }),
    isRetryable: Type.Boolean({
      description: 'Whether the same request, sent again later, may succeed.',
    }),
  },
  {
    title: 'ProblemExplanation',
    description: 'What a kind of problem means.',
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
