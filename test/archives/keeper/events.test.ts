import { expect, test } from 'vitest';

import { confirmSinks } from '#notifications/outbox/sinks-in-use.ts';
import { endJob } from './end-job.ts';
import { dayMs, hourMs, type KeptArchives, openKeptArchives, start } from './kept-archives.ts';

const minuteMs = 60_000;

/** The events of archives that are in the outbox, in their order. */
async function eventsOf({ database }: KeptArchives, archiveId: string) {
  const rows = await database.queries
    .selectFrom('notificationEvents')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .where('jobId', 'is', null)
    .orderBy('version')
    .execute();
  return rows.map(({ type, version, data }) => ({ type, version, ...JSON.parse(data) }));
}

async function listen({ database }: KeptArchives): Promise<void> {
  const targets = await database.queries
    .selectFrom('archives')
    .select('target')
    .distinct()
    .execute();
  await confirmSinks(
    database,
    targets.map(({ target }) => ({ target, kind: 'event-bus' })),
  );
}

test('an archive that stops and works again has one event of each', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  const id = await kept.accept({
    logGroupNames: ['/app/a'],
    fromAt: start - 2 * dayMs,
    toAt: start - dayMs,
  });
  await listen(kept);
  await kept.look();
  const [job] = await kept.waiting();

  await endJob(kept.database, job?.jobId ?? '', {
    outcome: 'failed',
    problem: 'destination-not-writable',
  });
  for (let look = 0; look < 3; look += 1) {
    await kept.look();
    kept.advance(minuteMs);
  }
  const stopped = await kept.archive(id);
  kept.advance(hourMs);
  await kept.look();
  const [again] = await kept.waiting();
  await endJob(kept.database, again?.jobId ?? '', { outcome: 'covered' });
  for (let look = 0; look < 3; look += 1) {
    kept.advance(minuteMs);
    await kept.look();
  }

  expect(await eventsOf(kept, id)).toEqual([
    { type: 'archive.stopped', version: stopped.version, state: 'behind', name: stopped.name },
    expect.objectContaining({ type: 'archive.recovered' }),
  ]);
});

test('an archive whose log events come near their expiry, and are lost, has one event of each', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a', { createdAt: start - 40 * dayMs, retentionInDays: 30 });
  const id = await kept.accept({
    logGroupNames: ['/app/a'],
    fromAt: start - 20 * dayMs,
    toAt: start - 19 * dayMs,
  });
  await listen(kept);
  await kept.look();
  expect(await eventsOf(kept, id)).toEqual([]);

  // Its only job waits for ever.
  for (let day = 0; day < 14; day += 1) {
    kept.advance(dayMs);
    await kept.look();
  }

  expect((await eventsOf(kept, id)).map(({ type }) => type)).toEqual([
    'archive.at_risk',
    'archive.lost',
  ]);
});
