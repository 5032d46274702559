import type { Scenario } from './scenario.ts';
import { crashPoints, killAtPoint } from './scenarios/crash-points.ts';
import { loseAnswers, lostAnswers } from './scenarios/lost-answers.ts';
import { killAtRandom } from './scenarios/random-kills.ts';

/** Everything that goes wrong in a whole run, in this order. */
export const scenarios: readonly Scenario[] = [
  { name: 'kills', count: 1_000, run: killAtRandom },
  ...crashPoints.map((point) => ({
    ...{ name: 'points', variant: point, count: 100 },
    run: killAtPoint(point),
  })),
  ...lostAnswers.map((lost) => ({
    ...{ name: 'answers', variant: lost.name, count: 250 },
    run: loseAnswers(lost),
  })),
];
