import { describe, expect, test } from 'vitest';

import { makeOwnerOrder, orderOwners } from '#export-jobs/dispatcher/replica/preferred-owner.ts';

const targets = Array.from({ length: 1_000 }, (_, index) => `account-${index}`);
const firstAt = (owners: string[]) =>
  new Map(targets.map((target) => [target, orderOwners(target, owners)[0]]));

describe.each([
  ['short names', (index: number) => `replica-${index}`],
  ['ids', (index: number) => `${index}0c8a4e${index}-6f1d-4f52-9c3b-2f1f0a7d9e1${index}`],
])('replicas with %s', (_what, nameOf) => {
  const ownersOf = (count: number) => Array.from({ length: count }, (_, index) => nameOf(index));

  test.each([2, 3, 4, 5])('%i of them are each preferred at an equal share ± 20 %', (count) => {
    const owners = ownersOf(count);

    const preferred = [...firstAt(owners).values()];

    for (const owner of owners) {
      const share = preferred.filter((each) => each === owner).length / targets.length;
      expect(share).toBeGreaterThan(0.8 / count);
      expect(share).toBeLessThan(1.2 / count);
    }
  });

  test.each([2, 3, 4, 5])('%i of them keep their targets when another one goes', (count) => {
    const owners = ownersOf(count + 1);
    const before = firstAt(owners);

    const after = firstAt(owners.slice(0, count));

    for (const [target, owner] of before) {
      if (owner !== owners[count]) expect(after.get(target)).toBe(owner);
    }
  });

  test('are in the same order in any list, and each target has every one of them', () => {
    const owners = ownersOf(5);

    for (const target of targets.slice(0, 50)) {
      const order = orderOwners(target, owners);
      expect(orderOwners(target, owners.toReversed())).toEqual(order);
      expect(order.toSorted()).toEqual(owners.toSorted());
    }
  });
});

test('a remembered order follows the replicas that are alive', () => {
  const orderOf = makeOwnerOrder();

  const both = orderOf('default', ['a', 'b']);
  const one = orderOf('default', ['a']);

  expect(both).toHaveLength(2);
  expect(one).toEqual(['a']);
  expect(orderOf('default', ['a', 'b'])).toEqual(both);
});
