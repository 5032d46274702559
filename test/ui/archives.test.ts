import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { startOf } from '#coverage/ledger/units.ts';
import { days, givenArchiveInAllStates } from '../archives/archive-in-all-states.ts';
import { insertArchive } from '../coverage/insert-archive.ts';
import { sliceProblem } from '../export-jobs/accepted-jobs.ts';
import { openWorld, type World } from '../world.ts';
import { openVisitor, type Visitor } from './visitor.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const hostile = `"><script>alert(1)</script>\u202e${'x'.repeat(200)}`;

let world: World;
let visitor: Visitor;
let archiveId: string;
beforeAll(async () => {
  world = await openWorld({ jobs: {}, basePath: '/gateway' });
  archiveId = await givenArchiveInAllStates(world.database, { name: hostile });
  visitor = openVisitor(world);
});
afterAll(() => world[Symbol.asyncDispose]());

/** The words of the cells of a page by log group, in the order of its columns. */
function cellsOf(html: string): Map<string, string[]> {
  const rows = html.matchAll(/<tr><th scope="row">.*?<bdi>(.*?)<\/bdi>(.*?)<\/tr>/gs);
  return new Map(
    [...rows].map(([, name = '', rest = '']) => [
      `${name}${/created again \((\d+)\)/.exec(rest)?.[1] ?? ''}`,
      [
        ...rest.matchAll(
          /<td class="[^"]*"(?: title="[^"]*")?>.*?<span class="unseen">(.*?)<\/span>/g,
        ),
      ].map(([, words = '']) => words),
    ]),
  );
}

const linkTo = (html: string, text: string) =>
  new RegExp(`<a (?:rel="next" )?href="/gateway([^"#]+)[^"]*">${text}</a>`)
    .exec(html)?.[1]
    ?.replaceAll('&amp;', '&') ?? '';

test.each(['/ui/archives', '/ui/archives/:archiveId'])(
  '%s is a page that runs only its own script and is not cached',
  async (route) => {
    const { status, headers, html } = await visitor.get(route.replace(':archiveId', archiveId));

    expect(status).toBe(200);
    expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/<style|<[^>]* (?:style|on\w+)=|<img/);
    expect(html).toContain('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).toContain('aria-current="page">Archives</a>');
  },
);

test.each([
  ['/ui/archives?state=atRisk', 200],
  ['/ui/archives?state=&name=', 200],
  ['/ui/archives?state=broken', 400],
  ['/ui/archives?cursor=x', 400],
  [`/ui/archives/${randomUUID()}`, 404],
])('%s is answered %i, as by the API', async (path, status) => {
  const page = await visitor.get(path);
  const answer = await world.call('GET', path.replace('/ui', ''));

  expect(page.status).toBe(status);
  if (!path.includes('=&')) expect(answer.status).toBe(status);
  if (status >= 400) expect(page.html).toContain(answer.body.title);
});

test('the list has the state, the watermark, the partitions and the next expiry', async () => {
  const { html } = await visitor.get('/ui/archives');

  expect(html).toContain('<span class="badge atRisk">atRisk</span>');
  expect(html).toMatch(/data-label="Watermark"><div><time datetime="20/);
  expect(html).toContain('2 atRisk, 35 lost, 1 missing, 1 running, 3 waiting');
  expect(html).toMatch(/data-label="Next expiry".*in 4 h 59 min/);
});

describe('the page of an archive', () => {
  test('names first what is at risk', async () => {
    const { html } = await visitor.get(`/ui/archives/${archiveId}`);

    expect(html).toMatch(/2 partitions at risk.*\/at-risk.*in 4 h 59 min.*<dl class="facts">/s);
  });

  test('lists the partitions at risk, then those that failed, then lost ones', async () => {
    const { html } = await visitor.get(`/ui/archives/${archiveId}`);

    const [, list = ''] = /id="archive-urgent"(.*?)<h2 id="grid-title"/s.exec(html) ?? [];
    const rows = [...list.matchAll(/<tr role="row"><th role="rowheader".*?<\/tr>/gs)].map(
      ([row]) => [/badge \w+">(\w+)</.exec(row)?.[1], /<bdi>(.*?)<\/bdi>/.exec(row)?.[1]],
    );
    expect(rows).toEqual([
      ['atRisk', '/at-risk'],
      ['missing', '/missing'],
      ['lost', '/at-risk'],
      ['lost', '/deleted'],
    ]);
    expect(list).toContain('the log events have expired');
    expect(list).toContain('the log group was deleted');
    expect(list).toMatch(/problems\/export-task-failed.*data-label="Next try"><div>.*in \d+ min/s);
  });

  test('has a cell for each of the last 31 days of 20 log groups', async () => {
    const { html } = await visitor.get(`/ui/archives/${archiveId}`);

    const cells = cellsOf(html);
    expect(cells.size).toBe(20);
    expect([...cells.values()].filter((row) => row.length !== 31)).toEqual([]);
    // The columns are 30 days ago, …, yesterday, today.
    expect(cells.get('/at-risk')?.slice(22, 25)).toEqual(['covered', 'atRisk', 'atRisk']);
    expect(cells.get('/missing')?.slice(26, 28)).toEqual(['covered', 'missing']);
    expect(cells.get('/running')?.slice(27, 29)).toEqual(['covered', 'running']);
    expect(cells.get('/running')?.at(-1)).toBe('open');
    expect(cells.get('/deleted')?.slice(9, 11)).toEqual(['lost', 'not in the archive']);
    expect(cells.get('/deleted2')?.slice(19, 22)).toEqual([
      'not in the archive',
      'covered',
      'covered',
    ]);
  });

  test('marks the column of the watermark', async () => {
    const { html } = await visitor.get(`/ui/archives/${archiveId}`);

    const marks = html.match(/class="watermark"/g) ?? [];
    expect(marks).toHaveLength(1);
    expect(html.match(/<td class="\w+ watermark"/g)).toHaveLength(20);
  });

  test('shows all of its time as ranges of days, whose links lead to single days', async () => {
    const latest = await visitor.get(`/ui/archives/${archiveId}`);
    const whole = await visitor.get(linkTo(latest.html, 'All time'));
    const [, first = ''] =
      /<th scope="col" title="[^"]*"><a href="\/gateway([^"#]+)/.exec(whole.html) ?? [];
    const zoomed = await visitor.get(first.replaceAll('&amp;', '&'));

    const cells = cellsOf(whole.html);
    expect(cells.get('/at-risk')).toHaveLength(31); // 61 days in pairs
    expect(cells.get('/at-risk')?.[0]).toBe('2 lost');
    expect(cells.get('/missing')?.[28]).toBe('1 missing, 1 covered');
    expect(whole.html).toContain('<span aria-hidden="true">✕ 50%</span>');
    expect(cellsOf(zoomed.html).get('/at-risk')).toEqual(['lost', 'lost']);
  });

  test('pages through all log groups', async () => {
    const names: string[] = [];
    for (let path = `/ui/archives/${archiveId}`; path !== ''; ) {
      const { html } = await visitor.get(path);
      names.push(...cellsOf(html).keys());
      path = linkTo(html, 'Next log groups');
    }

    expect(new Set(names).size).toBe(45);
  });

  test('leads to earlier and later days without a gap', async () => {
    const latest = await visitor.get(`/ui/archives/${archiveId}`);
    const earlier = await visitor.get(linkTo(latest.html, 'Earlier'));
    const back = await visitor.get(linkTo(earlier.html, 'Later'));

    const columnsOf = (html: string) =>
      [...html.matchAll(/<th scope="col" title="(\S+) /g)].map(([, day]) => day);
    const all = [...columnsOf(earlier.html), ...columnsOf(latest.html)];
    expect(new Set(all).size).toBe(days + 1);
    expect(columnsOf(back.html)[0]).toBe(columnsOf(latest.html)[0]);
    expect(linkTo(earlier.html, 'Earlier')).toBe('');
  });
});

test.each([
  ['waived in part', [5.5, 5.5], [5.5, 7], '○ 0%', 'waiting, waived, 0% covered'],
  ['covered in part', [0, 15], [15, 15], '○ 62%', 'waiting, 62% covered'],
  ['covered and waived', [0, 15], [15, 24], 'W 62%', 'waived, 62% covered'],
  ['covered but for a second', [1 / 3_600, 24], [24, 24], '○ 99%', 'waiting, 99% covered'],
] as const)(
  'shows the share of the time of a partition that is covered: %s',
  async (_, covered, waived, sign, words) => {
    const fromAt = startOf(Date.now(), 'day') - 5 * dayMs;
    const id = await insertArchive(world.database, {
      id: randomUUID(),
      definition: { partitionBy: 'day', fromAt, toAt: fromAt + dayMs },
    });
    const range = (state: 'covered' | 'waived', [from, to]: readonly [number, number]) => ({
      archiveId: id,
      logGroupName: '/app',
      incarnation: 1,
      fromAt: fromAt + from * hourMs,
      toAt: fromAt + to * hourMs,
      state,
      isEmpty: 0 as const,
      again: null,
      cause: state === 'waived' ? '1' : null,
    });
    const ranges = [range('covered', covered), range('waived', waived)];
    await world.database.queries
      .insertInto('archiveRanges')
      .values(ranges.filter((each) => each.fromAt < each.toAt))
      .execute();

    const { html } = await visitor.get(`/ui/archives/${id}`);

    expect(cellsOf(html).get('/app')?.[0]).toBe(words);
    expect(html).toContain(`title="${words}"><span aria-hidden="true">${sign}</span>`);
  },
);

test.each([
  [
    'is at work',
    { pausedAt: null },
    'Lengthen the retention of the log group, or find out why its exports wait.',
  ],
  [
    'is paused',
    { pausedAt: 1, pauseReason: 'we move', pausedBy: 'ann' },
    'Resume the archive, or lengthen the retention of the log group.',
  ],
  [
    'is stopped',
    { stopProblem: JSON.stringify(sliceProblem('destination-not-writable', 'No.')) },
    'Fix the problem of the archive below, or lengthen the retention of the log group.',
  ],
])('says what to do about partitions at risk of an archive that %s', async (_, values, remedy) => {
  const id = await givenArchiveInAllStates(world.database, { covered: 0 });
  await world.database.queries.updateTable('archives').set(values).where('id', '=', id).execute();

  const { html } = await visitor.get(`/ui/archives/${id}`);

  const [, said] = /at risk<\/h2>.*?<strong>What to do:<\/strong> (.*?)<\/p>/s.exec(html) ?? [];
  expect(said).toBe(remedy);
});

describe('the buttons of an archive', () => {
  test('pause and resume it, each with a reason', async () => {
    const id = await givenArchiveInAllStates(world.database, { covered: 0 });
    const path = `/ui/archives/${id}`;
    const { hidden } = await visitor.get(path);

    const paused = await visitor.post(`${path}/pause`, { ...hidden, reason: ' <b>we move</b> ' });
    const during = await visitor.get(`${path}?notice=paused`);
    const resumed = await visitor.post(`${path}/resume`, { ...hidden, reason: 'moved' });
    const after = await world.call('GET', `/archives/${id}`);

    expect([paused.status, paused.headers.get('location')]).toEqual([
      303,
      `/gateway${path}?notice=paused`,
    ]);
    expect(during.html).toContain('The archive is paused.');
    expect(during.html).toContain(
      'by <bdi class="name">anonymous</bdi>: &lt;b&gt;we move&lt;/b&gt;',
    );
    expect(during.html).not.toContain('/pause"');
    expect(resumed.headers.get('location')).toBe(`/gateway${path}?notice=resumed`);
    expect(after.body.pause).toBeUndefined();
  });

  test.each(['', '   ', 'x'.repeat(1_001), 'a\u0000b'])('need a reason: %j', async (reason) => {
    const { hidden } = await visitor.get(`/ui/archives/${archiveId}`);
    const { status, html } = await visitor.post(`/ui/archives/${archiveId}/pause`, {
      ...hidden,
      reason,
    });

    expect(status).toBe(400);
    expect(html).toContain('reason must be text of 1 to 1000 characters.');
  });

  test('work with the token of the session only', async () => {
    const path = `/ui/archives/${archiveId}/pause`;
    const { status } = await visitor.post(path, { token: 'guessed', reason: 'x' });

    expect(status).toBe(403);
    expect((await world.call('GET', `/archives/${archiveId}`)).body.pause).toBeUndefined();
  });
});
