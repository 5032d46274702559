import { setImmediate } from 'node:timers/promises';

import type {
  Authorizer,
  CallerRequest,
  Question,
  TargetIdentity,
} from '#auth/authorization/authorizer.ts';
import { decisionsAtOnce } from '#auth/authorization/owned-access.ts';
import type { Problem } from '#problems/problem.ts';
import { type SentWindow, toInclusive } from '../planning/window.ts';

/** The values of an export of one log group, as the policies get them. */
export interface ExportValues extends SentWindow {
  logGroupName: string;
  destination: string;
  destinationPrefix: string;
  priority: number;
}

/**
 * Makes the authorization question of an export. Creating a job, retrying it, and each of its tasks
 * before it is sent use the same question, with the values that AWS gets.
 */
export function toExportQuestion(target: TargetIdentity, values: ExportValues): Question {
  const { logGroupName, destination, destinationPrefix, priority } = values;
  const { name, accountId, region } = target;
  return {
    action: 'CreateExportJob',
    resource: { target: { name, accountId, region }, logGroupName },
    context: {
      destination,
      destinationPrefix,
      priority,
      ...toInclusive(values),
    },
  };
}

/**
 * Requires that the policies may permit an export at a target. It tells nothing of the target: the answer is
 * the same whether it exists or not.
 * @throws Problem not-permitted
 */
export function requireExportAt(
  authorizer: Authorizer,
  request: CallerRequest,
  target: TargetIdentity,
  logGroupName: string | undefined,
  action: 'CreateExportJob' | 'CreateArchive' = 'CreateExportJob',
): void {
  if (authorizer.mayPermit(request, action, target)) return;
  authorizer.require(request, {
    action,
    resource: { target, logGroupName },
    isForAnyContext: true,
  });
}

/**
 * Requires a permit for each of many items, up to the first refusal. Returns the ids of the policies
 * that decided. `toQuestion` is called after the permit of the item before, so a caller without
 * permission costs one question. The authorizer's refusal names the log group; `refusal`
 * replaces it where the caller may not know that name. All permits are one line in the audit; each
 * task gets its own line when it is sent.
 * @throws Problem not-permitted
 */
export async function requireEach<Item>(
  authorizer: Authorizer,
  request: CallerRequest,
  items: Iterable<Item>,
  toQuestion: (item: Item) => Question,
  refusal?: () => Problem,
): Promise<string[]> {
  const policies = new Set<string>();
  using series = authorizer.openSeries(request);
  const decide = refusal ? series.decide : series.require;
  let decided = 0;
  for (const item of items) {
    if (decided % decisionsAtOnce === 0) await setImmediate();
    decided += 1;
    const decision = decide(toQuestion(item));
    if (!decision.isPermitted) throw refusal?.();
    for (const id of decision.policies) policies.add(id);
  }
  return [...policies];
}
