import { accessProblems } from './catalogue/access-problems.ts';
import { archiveProblems } from './catalogue/archive-problems.ts';
import { awsProblems } from './catalogue/aws-problems.ts';
import { jobProblems } from './catalogue/job-problems.ts';
import type { ProblemKind } from './catalogue/problem-kind.ts';
import { requestProblems } from './catalogue/request-problems.ts';
import { webhookProblems } from './catalogue/webhook-problems.ts';

/** Every way the service says no: slug → what it means. The slug is the last part of a problem's `type`. */
export const catalogue = {
  ...requestProblems,
  ...accessProblems,
  ...awsProblems,
  ...jobProblems,
  ...archiveProblems,
  ...webhookProblems,
};

/** Name of a kind of problem. */
export type ProblemSlug = keyof typeof catalogue;

/** The kind of a slug; `undefined` when there is none (own members only, so "constructor" is none). */
export function findProblemKind(slug: string): ProblemKind | undefined {
  return Object.hasOwn(catalogue, slug) ? catalogue[slug as ProblemSlug] : undefined;
}
