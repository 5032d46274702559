import { guessesAboutAws } from '../guesses/guesses.ts';
import type { Scenario } from './scenario.ts';
import { crashPoints, killAtPoint } from './scenarios/crash-points.ts';
import { actUnder, secondMs } from './scenarios/guesses.ts';
import { beHostileCaller } from './scenarios/hostile-caller.ts';
import { loseAnswers, lostAnswers } from './scenarios/lost-answers.ts';
import { cutWire } from './scenarios/partitions.ts';
import { pauseOwners } from './scenarios/pauses.ts';
import { poisonCaller } from './scenarios/poison.ts';
import { restartPostgres } from './scenarios/postgres-restarts.ts';
import { killAtRandom } from './scenarios/random-kills.ts';
import { repeatPosts } from './scenarios/repeating-clients.ts';
import { shiftClocks, turnDatabaseClock } from './scenarios/wrong-clocks.ts';

/** Everything that goes wrong in a whole run, in this order. */
export const scenarios: readonly Scenario[] = [
  { name: 'kills', count: 1_000, run: killAtRandom },
  ...crashPoints.map((point) => ({
    name: 'points',
    variant: point,
    count: 100,
    run: killAtPoint(point),
  })),
  ...lostAnswers.map((lost) => ({
    name: 'answers',
    variant: lost.name,
    count: 250,
    run: loseAnswers(lost),
  })),
  ...guessesAboutAws(secondMs).map((guess) => ({
    name: 'guesses',
    variant: guess.name,
    count: 30,
    run: actUnder(guess),
  })),
  { name: 'postgres', count: 90, run: restartPostgres }, // some ten minutes
  { name: 'partitions', variant: 'AWS', count: 100, run: cutWire('toAws') },
  { name: 'partitions', variant: 'PostgreSQL', count: 100, run: cutWire('toDatabase') },
  { name: 'pauses', count: 200, run: pauseOwners },
  { name: 'clocks', variant: 'replicas', count: 500, run: shiftClocks },
  { name: 'clocks', variant: 'PostgreSQL', count: 100, run: turnDatabaseClock }, // some five minutes
  { name: 'poison', count: 400, run: poisonCaller },
  { name: 'clients', count: 1_000, run: repeatPosts },
  { name: 'hostile-caller', count: 30, run: beHostileCaller },
];
