import { guessesAboutAws } from '../guesses/guesses.ts';
import type { Scenario } from './scenario.ts';
import { killWithArchives } from './scenarios/archives.ts';
import { skewDatabaseClock, skewReplicaClocks } from './scenarios/clock-skew.ts';
import { crashPoints, killAtPoint } from './scenarios/crash-points.ts';
import { repeatRequests } from './scenarios/duplicate-requests.ts';
import { runUnderGuess, secondMs } from './scenarios/guesses.ts';
import { runHostileCallers } from './scenarios/hostile-caller.ts';
import { loseAnswers, lostAnswers } from './scenarios/lost-answers.ts';
import { killWithWebhooks } from './scenarios/notifications.ts';
import { runOrganisation } from './scenarios/organisation.ts';
import { cutConnection } from './scenarios/partitions.ts';
import { pauseOwners } from './scenarios/pauses.ts';
import { runPoisonJobs } from './scenarios/poison.ts';
import { restartPostgres } from './scenarios/postgres-restarts.ts';
import { killAtRandom } from './scenarios/random-kills.ts';
import { mixVersions } from './scenarios/rolling-upgrade.ts';
import { killUnderAwsClients } from './scenarios/wire.ts';

/** The scenarios of a full run, in this order. */
export const scenarios: readonly Scenario[] = [
  { name: 'kills', count: 1_000, run: killAtRandom },
  ...crashPoints.map((point) => ({
    name: 'crash-points',
    variant: point,
    count: 100,
    run: killAtPoint(point),
  })),
  ...lostAnswers.map((lost) => ({
    name: 'lost-answers',
    variant: lost.name,
    count: 250,
    run: loseAnswers(lost),
  })),
  ...guessesAboutAws(secondMs).map((guess) => ({
    name: 'guesses',
    variant: guess.name,
    count: 30,
    run: runUnderGuess(guess),
  })),
  { name: 'postgres-restarts', count: 90, run: restartPostgres }, // about ten minutes
  { name: 'partitions', variant: 'AWS', count: 100, run: cutConnection('toAws') },
  { name: 'partitions', variant: 'PostgreSQL', count: 100, run: cutConnection('toDatabase') },
  { name: 'pauses', count: 200, run: pauseOwners },
  { name: 'clock-skew', variant: 'replicas', count: 500, run: skewReplicaClocks },
  { name: 'clock-skew', variant: 'PostgreSQL', count: 100, run: skewDatabaseClock }, // about five minutes
  { name: 'poison', count: 400, run: runPoisonJobs },
  { name: 'duplicate-requests', count: 1_000, run: repeatRequests },
  { name: 'organisation', count: 300, run: runOrganisation }, // about twenty minutes
  { name: 'archives', count: 200, run: killWithArchives }, // about eight minutes
  { name: 'notifications', count: 200, run: killWithWebhooks }, // about three minutes
  { name: 'wire', count: 200, run: killUnderAwsClients }, // about four minutes
  { name: 'rolling-upgrade', count: 200, run: mixVersions }, // about ten minutes
  { name: 'hostile-caller', count: 30, run: runHostileCallers },
];
