import { type Static, Type } from '@sinclair/typebox';
import type { ProblemKind } from './catalogue/problem-kind.ts';
import { catalogue } from './catalogue.ts';

/** A kind of problem as the catalogue shows it. */
export const ProblemExplanation = Type.Object(
  {
    type: Type.String({ description: 'The `type` of such a problem.' }),
    slug: Type.String(),
    status: Type.Integer(),
    title: Type.String(),
    explanation: Type.String(),
    remedy: Type.String(),
    isRetryable: Type.Boolean(),
  },
  {
    title: 'ProblemExplanation',
    description: 'What a kind of problem means.',
    examples: [toExplanation('export-slot-taken', catalogue['export-slot-taken'])],
  },
);

export type ProblemExplanation = Static<typeof ProblemExplanation>;

/** Shows an entry of the catalogue. */
export function toExplanation(slug: string, kind: ProblemKind) {
  const { status, title, explanation, remedy, isRetryable } = kind;
  return { type: `/problems/${slug}`, slug, status, title, explanation, remedy, isRetryable };
}
