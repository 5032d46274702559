import { setImmediate } from 'node:timers/promises';

import type {
  Authorizer,
  CallerRequest,
  Question,
  TargetIdentity,
} from '#auth/authorization/authorizer.ts';
import type { Problem } from '#problems/problem.ts';
import { toInclusive, type Window } from '../planning/window.ts';

/** What somebody wants to export of one log group. */
export interface WantedExport extends Window {
  logGroupName: string;
  destination: string;
  /** Filled in. */
  destinationPrefix: string;
  priority: number;
}

/**
 * May this be exported? The one question of accepting a job, of retrying it, and of each of its tasks
 * before it is sent; asked with the values AWS gets.
 */
export function toExportQuestion(target: TargetIdentity, wanted: WantedExport): Question {
  const { logGroupName, destination, destinationPrefix, priority } = wanted;
  const { name, accountId, region } = target;
  return {
    action: 'CreateExportJob',
    resource: { target: { name, accountId, region }, logGroupName },
    context: {
      ...{ destination, destinationPrefix, priority },
      ...toInclusive(wanted),
    },
  };
}

/** A decision takes some tenths of a millisecond. More in one go, and everybody else waits for them. */
export const decisionsAtOnce = 20;

/**
 * Demands a yes to each of many questions, up to the first no; the ids of the policies that decided.
 * A question is made when the one before it has its yes: whoever is permitted nothing costs one.
 * A no is told in the authorizer's words, which name the log group, or by `refusal`, where the request
 * need not know of it. All yeses are one line in the audit: each task has one of its own when it is sent.
 * @throws Problem not-permitted
 */
export async function requireEach(
  authorizer: Authorizer,
  request: CallerRequest,
  questions: Iterable<Question>,
  refusal?: () => Problem,
): Promise<string[]> {
  const policies = new Set<string>();
  using series = authorizer.openSeries(request);
  const decide = refusal ? series.decide : series.require;
  let asked = 0;
  for (const question of questions) {
    if (asked % decisionsAtOnce === 0) await setImmediate();
    asked += 1;
    const decision = decide(question);
    if (!decision.isPermitted) throw refusal?.();
    for (const id of decision.policies) policies.add(id);
  }
  return [...policies];
}
