import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';

import { openKeeper } from '#archives/keeper/open-keeper.ts';
import { keeperTimings } from '#archives/keeper/timings.ts';
import { openToAll } from '#auth/access.ts';
import { openQueue, type Queue } from '../../export-jobs/open-queue.ts';
import { region } from '../../world.ts';
import { acceptTestArchive } from './accept-test-archive.ts';

const dayMs = 86_400_000;

/** Opens a keeper beside the dispatchers of a queue. */
function openKeeperBeside({ database, targets, time, dispatchers, log }: Queue): void {
  const write = (level: string) => (facts: object, text: string) =>
    void log.push({ level, ...facts, text });
  const keeper = openKeeper({
    database,
    targets,
    authorizer: openToAll.authorizer,
    timings: keeperTimings,
    log: { info: write('info'), warn: write('warn'), error: write('error') },
    owner: 'keeper',
    now: time.now,
    elapsed: time.now,
    sleep: time.sleep,
    newId: randomUUID,
    sendHeartbeat: async () => ({ outcome: 'delivered', origin: '' }),
    onChange: () => {},
    onJobChange: () => {},
    wake: () => dispatchers[0]?.wake(),
    track(loop) {
      time.expectSleepers(1);
      void loop.then(() => time.expectSleepers(-1));
    },
  });
  onTestFinished(() => keeper.close());
}

test.each(['sqlite', 'postgres'] as const)(
  'covers each day of each log group once, and then each new day, on %s',
  async (backend) => {
    await using queue = await openQueue({ backend });
    const { emulator, database, time } = queue;
    const start = time.now();
    for (const logGroupName of ['/kept/a', '/kept/b'])
      emulator.seed.logGroup({ region, logGroupName, createdAt: start - 3 * dayMs });
    const archiveId = await acceptTestArchive(database, {
      logGroupNamePrefix: '/kept/',
      fromAt: start - 3 * dayMs,
    });
    openKeeperBeside(queue);

    await time.runFor(60_000);
    const atFirst = await coverage(queue);
    emulator.clock.advance(dayMs + 12 * 3_600_000);
    await time.runFor(180_000);

    expect(atFirst).toHaveLength(4);
    const covered = await coverage(queue);
    expect(
      covered.map(({ logGroupName, fromAt }) => [logGroupName, (fromAt - start) / dayMs]),
    ).toEqual(['/kept/a', '/kept/b'].flatMap((name) => [-3, -2, -1, 0].map((day) => [name, day])));
    const tasks = emulator.exportTasks();
    expect(tasks).toHaveLength(8);
    expect(tasks.map(({ destinationPrefix }) => destinationPrefix)).toContain(
      'kept/a/2024/04/28/00/r1/1',
    );
    expect(await summaryOf(queue, archiveId)).toMatchObject({
      state: 'current',
      watermarkAt: start + dayMs,
      logGroups: 2,
      partitions: { covered: 8, waiting: 0, running: 0, missing: 0, lost: 0 },
    });
    expect(queue.log.filter(({ level }) => level !== 'info')).toEqual([]);
  },
);

const coverage = ({ database }: Queue) =>
  database.queries
    .selectFrom('coverage')
    .selectAll()
    .orderBy('logGroupName')
    .orderBy('fromAt')
    .execute();

async function summaryOf({ database }: Queue, archiveId: string) {
  const { summary } = await database.queries
    .selectFrom('archives')
    .select('summary')
    .where('id', '=', archiveId)
    .executeTakeFirstOrThrow();
  return JSON.parse(summary ?? 'null');
}
