import { startChild } from '../child.ts';
import { subjectCore } from '../machine.ts';
import type { DecisionsToMake, DecisionTimes } from '../processes/decider.ts';
import type { Scale, World } from '../scale.ts';

/** How long policies take to decide, by how many of them there are. */
export async function measureDecision(_world: World, { rounds, picks }: Scale): Promise<string[]> {
  await using decider = startChild({ script: 'bench/processes/decider.ts', core: subjectCore });
  await decider.hello();
  const wanted: DecisionsToMake = { rounds, decisions: picks };
  const us = await decider.ask<DecisionTimes>(wanted);
  const tell = (policies: number) => us[policies]?.toFixed(0);
  return [
    `decision             ${tell(1)} µs by 1 policy, ${tell(10)} µs by 10, ${tell(100)} µs by 100 (goal ≤ 200)`,
  ];
}
