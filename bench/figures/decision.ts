import { startChild } from '../child.ts';
import { subjectCore } from '../machine.ts';
import type { DecisionRequest, DecisionTimes } from '../processes/authorizer.ts';
import type { Scale, World } from '../scale.ts';

/** The time of a decision, by number of policies. */
export async function measureDecision(_world: World, { rounds, picks }: Scale): Promise<string[]> {
  await using authorizer = startChild({
    script: 'bench/processes/authorizer.ts',
    core: subjectCore,
  });
  await authorizer.whenReady();
  const request: DecisionRequest = { rounds, decisions: picks };
  const us = await authorizer.call<DecisionTimes>(request);
  const format = (policies: number) => us[policies]?.toFixed(0);
  return [
    `decision             ${format(1)} µs by 1 policy, ${format(10)} µs by 10, ${format(100)} µs by 100 (goal ≤ 200)`,
  ];
}
