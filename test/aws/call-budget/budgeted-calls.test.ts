import { expect, test } from 'vitest';

import { asDispatcher, budgetCalls } from '#aws/call-budget/budgeted-calls.ts';
import type { BudgetRequest } from '#aws/call-budget/call-budget.ts';
import { openWorld } from '../../world.ts';

const window = { logGroupName: '/app', from: 0, to: 1 };

test('reads of events and queries are in the lane of verifications, also for the dispatcher', async () => {
  await using world = await openWorld();
  const taken: Pick<BudgetRequest, 'lane' | 'caller'>[] = [];
  const budget = {
    take({ lane, caller }: BudgetRequest) {
      taken.push({ lane, caller });
      return undefined;
    },
    count() {},
    reduce() {},
    [Symbol.dispose]() {},
  };
  const logs = asDispatcher(budgetCalls(world.targets.find(undefined).logs, budget));
  const options = { caller: 'issuer#someone' };

  await logs.filterLogEvents({ ...window, limit: 1 }, options);
  const { queryId } = await logs.startQuery({ ...window, queryString: 'stats count(*)' }, options);
  await logs.readQuery(queryId, options);
  await logs.describeLogGroups({}, options);

  const verification = { lane: 'verification', ...options };
  expect(taken).toEqual([
    verification,
    verification,
    verification,
    { lane: 'dispatcher', ...options },
  ]);
});
