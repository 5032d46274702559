import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toCursor } from '#paging/page.ts';
import { as, callersBy } from '../access.ts';
import { postgresUrl } from '../postgres-databases.ts';
import { openWorld, region, type World } from '../world.ts';
import { insertCoverage } from './insert-coverage.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const from = Date.parse('2024-05-01T00:00:00Z');
const hour = (first: number, hours = 1) => ({
  fromAt: from + first * hourMs,
  toAt: from + (first + hours) * hourMs,
});

/** Everybody may read the coverage of the log groups whose name begins with theirs. */
const access = callersBy(
  ({ subject }, { action, resource }) =>
    action === 'ReadCoverage' &&
    (subject === 'operator' || resource.logGroupName?.startsWith(`/${subject}`) === true),
);

describe.each(['SQLite', 'PostgreSQL'])('GET /coverage, on %s', (name) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({
      access,
      jobs: name === 'SQLite' ? {} : { databaseUrl: await postgresUrl() },
      targets: [
        { name: 'default', region },
        { name: 'again', region },
        { name: 'far', region: 'us-east-1' },
      ],
    });
    await insertCoverage(world.database, [
      {
        jobId: 'a-job',
        ...hour(0),
        taskId: 'a-task',
        destinationPrefix: 'app/2024',
        method: 'count',
        objects: 3,
        bytes: 1_000,
        events: 12,
        manifestKey: 'app/2024/_manifest-a-task.json',
        manifestSha256: 'abc',
        exportedAt: from + 2 * dayMs,
        coveredAt: from + 2 * dayMs + 1_000,
      },
      { jobId: 'b-job', ...hour(1), archiveId: 'an-archive', incarnation: 1, isEmpty: 1 },
      { jobId: 'c-job', ...hour(1), archiveId: 'an-archive', incarnation: 1, revision: 2 },
      { jobId: 'd-job', ...hour(3, 2), target: 'again' },
      { jobId: 'other', ...hour(0), logGroupName: '/ann' },
      { jobId: 'far-job', ...hour(9), target: 'far', region: 'us-east-1' },
    ]);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const ask = (query: string, caller = 'operator') =>
    world.call('GET', `/coverage?${query}`, undefined, as(caller));
  const first = 'logGroupName=/app&from=2024-05-01T00:00:00Z&to=2024-05-01T01:00:00Z';

  test('returns the export of an hour with its place in S3 and its manifest', async () => {
    const { status, body } = await ask(first);

    expect(status).toBe(200);
    expect(body).toEqual({
      isCovered: true,
      covered: [{ from: '2024-05-01T00:00:00.000Z', to: '2024-05-01T01:00:00.000Z' }],
      exports: [
        {
          from: '2024-05-01T00:00:00.000Z',
          to: '2024-05-01T01:00:00.000Z',
          target: 'default',
          destination: 'archive',
          prefix: 'app/2024/a-task',
          taskId: 'a-task',
          method: 'count',
          isEmpty: false,
          objects: 3,
          bytes: 1_000,
          events: 12,
          manifest: { key: 'app/2024/_manifest-a-task.json', sha256: 'abc' },
          exportedAt: '2024-05-03T00:00:00.000Z',
          verifiedAt: '2024-05-03T00:00:01.000Z',
          jobId: 'a-job',
          revision: 1,
          isSuperseded: false,
        },
      ],
    });
  });

  test('returns the parts that are covered, with revisions and the exports of other targets', async () => {
    const { body } = await ask(`logGroupName=/app&from=${from}&to=${from + 5 * hourMs}`);

    expect(body.isCovered).toBe(false);
    expect(body.covered).toEqual([
      { from: '2024-05-01T00:00:00.000Z', to: '2024-05-01T02:00:00.000Z' },
      { from: '2024-05-01T03:00:00.000Z', to: '2024-05-01T05:00:00.000Z' },
    ]);
    expect(body.exports).toMatchObject([
      { jobId: 'a-job' },
      { jobId: 'b-job', archiveId: 'an-archive', isEmpty: true, isSuperseded: true },
      { jobId: 'c-job', archiveId: 'an-archive', revision: 2, isSuperseded: false },
      { jobId: 'd-job', target: 'again' },
    ]);
  });

  test('returns pages, each with the coverage of the whole time range', async () => {
    const query = `logGroupName=/app&from=${from}&to=${from + 2 * hourMs}&limit=2`;
    const one = await ask(query);
    const two = await ask(`${query}&cursor=${one.body.nextCursor}`);

    const jobs = ({ body }: typeof one) =>
      body.exports.map(({ jobId }: { jobId: string }) => jobId);
    expect([jobs(one), jobs(two)]).toEqual([['a-job', 'b-job'], ['c-job']]);
    expect([one.body.isCovered, two.body.isCovered]).toEqual([true, true]);
    expect(two.body.nextCursor).toBeUndefined();
  });

  test('returns nothing for a log group of another Region, or without exports', async () => {
    const nothing = { isCovered: false, covered: [], exports: [] };

    expect((await ask(`${first}&target=far`)).body).toEqual(nothing);
    expect((await ask(first.replace('/app', '/none'))).body).toEqual(nothing);
  });

  test.each([
    [`logGroupName=/app&from=${from}&to=${from}`, '#/from'],
    [`logGroupName=/app&from=${from}&to=${from + 366 * dayMs + 1}`, '#/to'],
    ['logGroupName=/app&from=2024-05-01&to=2024-05-02T00:00:00Z', '#/from'],
    ['logGroupName=/app&from=1714521600&to=2024-05-02T00:00:00Z', '#/from'],
    [`${first}&cursor=abc`, '#/cursor'],
    [`${first}&cursor=${toCursor([0, 'a', 2 ** 31])}`, '#/cursor'],
    [first.replace('/app', 'a%20b'), '#/logGroupName'],
    ['from=0&to=1', '#/logGroupName'],
  ])('rejects %s', async (query, pointer) => {
    const { status, body } = await ask(query);

    expect([status, body.type]).toEqual([400, '/problems/invalid-request']);
    expect(body.errors).toMatchObject([{ in: 'query', pointer }]);
  });

  test('rejects callers without permission, alike for what exists and what does not', async () => {
    const answers = [
      await ask(first, 'ann'),
      await ask(first.replace('/app', '/none'), 'ann'),
      await ask(`${first}&target=unknown`, 'ann'),
    ];
    const own = await ask(first.replace('/app', '/ann'), 'ann');
    const unknown = await ask(`${first}&target=unknown`);

    for (const { status, body } of answers)
      expect([status, body.type]).toEqual([403, '/problems/not-permitted']);
    expect(own.body).toMatchObject({ isCovered: true, exports: [{ jobId: 'other' }] });
    expect([unknown.status, unknown.body.type]).toEqual([404, '/problems/target-not-found']);
    expect(world.emulator.journal.entries().filter(({ service }) => service === 'logs')).toEqual(
      [],
    );
  });
});
