import { expect, test } from 'vitest';

import { deleteDeliveries, deleteSurplus } from '#export-jobs/retention/expired-deliveries.ts';
import { deleteEndpoint } from '#webhook-endpoints/store/change-endpoint.ts';
import { recordAffected } from '../affected-rows.ts';
import { openStore, storageBackends } from '../export-jobs/storage-backends.ts';

const at = Date.UTC(2026, 0, 10);
const dayMs = 86_400_000;

/** A row of `deliveries` that ended at an instant; null if it has not ended. */
const rowOf = (destination: string, number: number, endedAt: number | null) => ({
  destination,
  eventId: `msg_${String(number).padStart(6, '0')}`,
  at: at - 8 * dayMs + number,
  type: 'export_job.completed',
  jobId: null,
  archiveId: null,
  version: 1,
  body: '{}',
  state: endedAt === null ? ('pending' as const) : ('delivered' as const),
  dueAt: at,
  owner: null,
  triedAt: null,
  status: null,
  error: null,
  endedAt,
});

test.each(storageBackends)(
  'deletes deliveries that ended a week ago, and all but the newest 2,000 of a receiver, on %s',
  async (_name, openStorage) => {
    await using database = await openStore(openStorage);
    const { queries, kind } = database;
    const rows = [
      rowOf('a', 1, at - 7 * dayMs),
      rowOf('a', 2, at - 7 * dayMs + 1),
      rowOf('a', 3, null),
      ...Array.from({ length: 2_005 }, (_, number) => rowOf('b', number, at)),
      rowOf('b', 9_000, null),
    ];
    for (let first = 0; first < rows.length; first += 500) {
      await queries
        .insertInto('deliveries')
        .values(rows.slice(first, first + 500))
        .execute();
    }
    const transaction = { queries, kind, at, maxRows: 3 };

    expect(await deleteDeliveries(transaction)).toEqual({ deliveries: 1 });
    expect(await deleteDeliveries(transaction)).toBeUndefined();
    const step = deleteSurplus();
    const deleted: unknown[] = [];
    for (let more = await step(transaction); more; more = await step(transaction)) {
      deleted.push(more.deliveries);
    }

    expect(deleted).toEqual([0, 3, 2]);
    const left = await queries
      .selectFrom('deliveries')
      .select(['destination', 'eventId'])
      .orderBy('destination')
      .orderBy('eventId')
      .execute();
    expect(left).toHaveLength(2_003);
    expect(left.slice(0, 3).map(({ eventId }) => eventId)).toEqual([
      'msg_000002',
      'msg_000003',
      'msg_000005',
    ]);
  },
);

test.each(storageBackends)(
  'deletes a long backlog of an endpoint in small statements, on %s',
  async (_name, openStorage) => {
    await using database = await openStore(openStorage);
    const rows = Array.from({ length: 1_500 }, (_, number) => rowOf('a', number, null));
    for (const half of [rows.slice(0, 750), rows.slice(750)])
      await database.queries.insertInto('deliveries').values(half).execute();
    const deleted = recordAffected(database);

    await deleteEndpoint(deleted.database, 'a');

    expect(await database.queries.selectFrom('deliveries').select('at').execute()).toEqual([]);
    expect(deleted.most()).toBe(1_000);
  },
);
