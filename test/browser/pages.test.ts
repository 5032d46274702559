import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { recordForeignTask } from '#export-jobs/store/steps/record-foreign-task.ts';
import { givenArchiveInAllStates } from '../archives/archive-in-all-states.ts';
import { openGuard } from '../auth/guard.ts';
import { bringTo, givenJob, sliceProblem } from '../export-jobs/accepted-jobs.ts';
import { insertAttempt } from '../export-jobs/insert-rows.ts';
import { jobOf } from '../export-jobs/jobs-of-callers.ts';
import { openKeysFile } from '../ui/keys-file.ts';
import { openWorld, region, type World } from '../world.ts';
import { openBrowser, type TestBrowser, type WatchedPage } from './browser.ts';

const hourMs = 3_600_000;
const problem = {
  ...sliceProblem('destination-not-writable', 'CloudWatch Logs may not write to bucket "archive".'),
  title: 'Destination bucket not writable',
  remedy: 'Add the statements of `bucketPolicy` to the policy of the bucket. Then retry the job.',
};

let browser: TestBrowser;
let world: World;
let jobId: string;
let largeJobId: string;
let hostileJobId: string;
let archiveId: string;
let largeArchiveId: string;
beforeAll(async () => {
  browser = await openBrowser();
  const accounts = Array.from({ length: 999 }, (_, index) => ({
    name: `account-${String(index + 1).padStart(4, '0')}`,
    region: index % 3 === 0 ? 'us-east-1' : 'eu-central-1',
    roleArn: `arn:aws:iam::${String(100_000_000_001 + index)}:role/log-export`,
  }));
  world = await openWorld({
    jobs: {},
    targets: [{ name: 'default', region }, ...accounts],
    isCheckAwaited: false,
  });
  const { database } = world;
  const acceptedAt = Date.now() - 2 * hourMs;
  jobId = await givenJob(database, 5, { acceptedAt, facts: { name: 'checkout, first days' } });
  await bringTo(database, jobId, 0, 'completed');
  await bringTo(database, jobId, 1, 'failed', problem);
  await bringTo(database, jobId, 2, 'running');
  const logGroupNames = Array.from({ length: 40 }, (_, n) => `/aws/lambda/service-${n}`);
  largeJobId = await jobOf('ann', database, { logGroupNames, days: 250, acceptedAt });
  await database.queries
    .updateTable('slices')
    .set({ state: 'completed' })
    .where('jobId', '=', largeJobId)
    .where('number', '<', 4_300)
    .execute();
  await bringTo(database, largeJobId, 1_234, 'failed', problem);
  const name = `"><script>alert(1)</script>\u202e${'\u05d0'.repeat(200)}`;
  hostileJobId = await givenJob(database, 2, {
    acceptedAt,
    facts: { name, prefixTemplate: 'x'.repeat(512) },
  });
  await database.queries
    .updateTable('slices')
    .set({ logGroupName: `/${'y'.repeat(511)}` })
    .where('jobId', '=', hostileJobId)
    .execute();
  archiveId = await givenArchiveInAllStates(database);
  largeArchiveId = await givenArchiveInAllStates(database, { name: 'large', covered: 1_000 });
  await seedDay();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await browser[Symbol.asyncDispose]();
});

/** What has happened in the slot of the default target: runs of two callers, and a foreign task. */
async function seedDay() {
  const { database } = world;
  const now = Date.now();
  for (const [index, name] of ['ann', 'bob', 'ann', 'ann', 'bob'].entries()) {
    const acceptedAt = now - (21 - 3 * index) * hourMs;
    const id = await jobOf(name, database, { acceptedAt });
    const outcome = index === 3 ? 'failed' : 'completed';
    await bringTo(database, id, 0, outcome, outcome === 'failed' ? problem : null);
    const submittedAt = now - (20 - 3 * index) * hourMs;
    const readyAt = submittedAt - hourMs / 2;
    await database.queries.updateTable('slices').set({ readyAt }).where('jobId', '=', id).execute();
    await insertAttempt(database, {
      jobId: id,
      taskId: `task-${index}`,
      submittedAt,
      endedAt: submittedAt + (index + 1) * 0.4 * hourMs,
      outcome,
    });
  }
  const lease = { target: 'default', owner: 'test', fence: 1 };
  await database.queries
    .insertInto('slots')
    .values({ ...lease, accountId: '1', region, leasedUntil: now + hourMs })
    .execute();
  const task = { taskId: 'a-task-of-the-console', logGroupName: '/aws/vpc/flow' };
  await recordForeignTask(database, lease, { ...task, since: now - 3 * hourMs });
  await recordForeignTask(database, lease, undefined);
}

/** What a person with impairments would stumble over. */
async function violationsOf(page: Page): Promise<string[]> {
  // Not a script of the page: its policy stays as it is.
  await page.evaluate(axe.source);
  const found = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as {
    violations: { id: string; nodes: { html: string }[] }[];
  };
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

const looks = [
  ['light', { colorScheme: 'light' as const }],
  ['dark', { colorScheme: 'dark' as const }],
  ['narrow', { viewport: { width: 360, height: 740 } }],
] as const;

// A page whose elements are all on another page, too, is checked in one window.
const pages: [name: string, path: () => string, only?: string][] = [
  ['targets', () => '/ui/targets?limit=20'],
  ['target', () => '/ui/targets/default'],
  ['jobs', () => '/ui/jobs?caller=*'],
  ['job', () => `/ui/jobs/${jobId}`],
  ['hostile-job', () => `/ui/jobs/${hostileJobId}`, 'narrow'],
  ['large-job', () => `/ui/jobs/${largeJobId}`, 'light'],
  ['archives', () => '/ui/archives'],
  ['archive', () => `/ui/archives/${archiveId}`],
  ['archive-of-all-time', () => `/ui/archives/${archiveId}?fromAt=0`, 'light'],
  ['not-found', () => '/ui/jobs/none', 'dark'],
];

describe.each(looks)('in a %s window', (look, options) => {
  let watched: WatchedPage; // one for all: a context of the browser is not closed before its end
  beforeAll(async () => {
    watched = await browser.open(options);
  });

  test.each(pages.filter(([, , only]) => only === undefined || only === look))(
    'the page %s is accessible and fits',
    async (name, path) => {
      const { page, complaints, picture } = watched;
      await page.goto(world.url + path());
      for (const details of await page.locator('details').all()) {
        await details.evaluate((element) => element.setAttribute('open', ''));
      }
      await picture(`ui-${name}-${look}`);

      expect(await violationsOf(page)).toEqual([]);
      const [inside, outside] = (await page.evaluate(
        '[document.documentElement.scrollWidth, innerWidth]',
      )) as [number, number];
      expect(inside).toBeLessThanOrEqual(outside);
      const isStatus = (text: string) => text.includes('status of 404');
      expect(complaints.filter((text) => !isStatus(text))).toEqual([]);
    },
  );
});

test('1,000 targets are paged and filtered', async () => {
  const { page } = await browser.open();

  await page.goto(`${world.url}/ui/targets?limit=100`);
  await page.getByLabel('Account').fill('100000000999');
  await page.getByRole('button', { name: 'Filter' }).click();
  const filtered = await page.locator('tbody tr').allInnerTexts();
  await page.goto(`${world.url}/ui/targets?limit=100`);
  const names: string[] = [];
  for (;;) {
    names.push(...(await page.locator('tbody th a').allInnerTexts()));
    const next = page.getByRole('link', { name: 'Next page' });
    if ((await next.count()) === 0) break;
    const before = page.url();
    await next.click();
    await page.waitForURL(({ href }) => href !== before);
  }

  expect(filtered).toEqual([expect.stringContaining('account-0999')]);
  expect(new Set(names).size).toBe(1_000);
});

test('a job of 10,000 slices is a grid of ranges that leads to each slice', async () => {
  const { page } = await browser.open();

  await page.goto(`${world.url}/ui/jobs/${largeJobId}`);
  const size = (await page.content()).length;
  const cells = page.locator('.grid td');
  const ranged = await cells.count();
  await page.locator('.grid thead a').nth(3).click();
  const zoomed = await page.locator('.grid thead th').count();
  const failed = page.locator('.grid td.failed');
  const failures = await failed.allInnerTexts();
  await page.getByRole('link', { name: 'Next log groups' }).click();
  const rows = await page.locator('.grid tbody th').allInnerTexts();

  expect(size).toBeLessThan(200_000);
  expect(ranged).toBeLessThanOrEqual(20 * 31);
  expect(zoomed - 1).toBe(9); // 250 days in 31 columns
  expect(failures.length).toBeLessThanOrEqual(1);
  expect(rows.at(0)).toBe('/aws/lambda/service-20');
});

test('the last part of a grid leads back to the whole part before it', async () => {
  const logGroupNames = Array.from({ length: 25 }, (_, n) => `/aws/lambda/service-${n}`);
  const id = await jobOf('ann', world.database, { logGroupNames });
  const { page } = await browser.open();
  await page.goto(`${world.url}/ui/jobs/${id}?fromGroup=20`);

  await page.getByRole('link', { name: 'Previous log groups' }).click();
  await page.getByText('Log groups 1 to 20 of 25.').waitFor();

  expect(await page.locator('.grid tbody tr').count()).toBe(20);
});

test.each([
  ['archive', 1_280, () => `archives/${archiveId}`],
  ['archive', 400, () => `archives/${archiveId}`],
  ['job', 400, () => `jobs/${largeJobId}`],
])(
  'the %s grid keeps its heading above the names when it scrolls, %i px wide',
  async (name, width, path) => {
    const { page, picture } = await browser.open({ viewport: { width, height: 900 } });
    await page.goto(`${world.url}/ui/${path()}`);

    // The grid of an archive is at its end already.
    const found = await page.evaluate(`(() => {
    const scroll = document.querySelector('#grid-scroll');
    if (!scroll.matches('.newest')) scroll.scrollLeft = scroll.scrollWidth;
    scroll.scrollIntoView();
    const { left, right } = scroll.querySelector('tbody th').getBoundingClientRect();
    const { bottom } = scroll.querySelector('thead').getBoundingClientRect();
    const headingAt = (x) => document.elementFromPoint(x, bottom - 8).closest('th').textContent;
    return [scroll.scrollWidth > scroll.clientWidth, headingAt(left + 1), headingAt(right - 1)];
  })()`);
    await picture(`ui-grid-of-${name}-${width}`);

    expect(found).toEqual([true, 'Log group', 'Log group']);
  },
);

test('the legend of an archive has the colours of its grid', async () => {
  const { page } = await browser.open();
  await page.goto(`${world.url}/ui/archives/${archiveId}?fromAt=0`);

  const looksOf = async (selector: string) =>
    Object.fromEntries(
      (await page.evaluate(`[...document.querySelectorAll('${selector}')].map((cell) => {
        const { color, backgroundColor, outline } = getComputedStyle(cell);
        return [cell.className.replace(/ ?(cell|watermark) ?/, ''), [color, backgroundColor, outline]];
      })`)) as [string, string[]][],
    );
  const legend = await looksOf('.legend .cell');
  const grid = await looksOf('.grid td:not(.none)');

  expect(Object.keys(legend)).toHaveLength(8);
  expect(grid).toEqual(legend);
});

test('an archive of 1,000 log groups is a grid of a part of them, small enough to read', async () => {
  const { page } = await browser.open();

  await page.goto(`${world.url}/ui/archives/${largeArchiveId}?fromAt=0`);
  const size = (await page.content()).length;
  const cells = await page.locator('.grid td').count();
  const risky = await page.locator('.grid td.atRisk').allInnerTexts();
  await page.getByRole('link', { name: 'Next log groups' }).click();
  await page.getByText('Log groups 21 to 40 of 1,005.').waitFor();

  expect(size).toBeLessThan(200_000);
  expect(cells).toBeLessThanOrEqual(20 * 31);
  expect(risky).not.toEqual([]);
  expect(risky.every((text) => text.startsWith('!'))).toBe(true);
});

test('a job page follows its job, and keeps what is open', async () => {
  const id = await givenJob(world.database, 3);
  const { page, complaints } = await browser.open();
  await page.goto(`${world.url}/ui/jobs/${id}`);
  await page.locator('summary').click();

  await bringTo(world.database, id, 0, 'completed');
  world.jobChanged(id);
  await page.locator('.grid td.completed').waitFor();
  const isOpen = await page.locator('#cancel-job').getAttribute('open');
  for (const slice of [1, 2]) await bringTo(world.database, id, slice, 'completed');
  world.jobChanged(id);
  await page.locator('#job-facts .badge.completed').waitFor();

  expect(isOpen).toBe('');
  expect(await page.locator('#progress').textContent()).toBe('completed: 3 completed');
  expect(await page.locator('#cancel-job').count()).toBe(0);
  expect(complaints).toEqual([]);
});

test('a page that is read again keeps what a person types, selects, opens and scrolls', async () => {
  const id = await givenArchiveInAllStates(world.database);
  const { page, complaints } = await browser.open({ viewport: { width: 700, height: 500 } });
  const changeTo = async (act: string, state: string) => {
    await world.call('POST', `/archives/${id}/${act}`, { reason: `to ${act}` });
    const shownState = async () => {
      await page.clock.fastForward(15_000);
      return page.locator('#progress').textContent();
    };
    await expect.poll(shownState, { interval: 200 }).toContain(`${state}:`);
  };
  const inUse = () =>
    page.evaluate(`(() => {
      const { id = '', name, value, selectionStart, selectionEnd } = document.activeElement;
      return {
        focus: [id || name, value?.slice(selectionStart, selectionEnd)],
        selected: String(getSelection()),
        open: [...document.querySelectorAll('details[open]')].map((each) => each.id),
        scrolled: [Math.round(scrollY), document.querySelector('#grid-scroll').scrollLeft],
      };
    })()`);
  const facts = page.locator('#archive-facts');
  await page.clock.install();
  await page.goto(`${world.url}/ui/archives/${id}`);

  await page.getByText('Pause this archive').first().click();
  await page.getByLabel('Reason').fill('the bucket moves');
  await page.evaluate(`(() => {
    document.querySelector('[name=reason]').setSelectionRange(4, 10);
    document.querySelector('#grid-scroll').scrollLeft -= 40;
    scrollBy(0, 50);
  })()`);
  const typed = await inUse();
  const ended = `**/ui/archives/${id}`;
  await page.route(ended, (route) =>
    route.fulfill({ status: 303, headers: { location: '/ui/sign-in' } }),
  );
  const signIn = page.waitForResponse('**/ui/sign-in');
  await page.clock.fastForward(15_000);
  await signIn; // the session has ended
  await page.unroute(ended);
  await changeTo('pause', 'paused');

  expect(await facts.textContent()).toContain('to pause');
  expect(await inUse()).toEqual(typed);

  await page.evaluate(`(() => {
    document.activeElement.blur();
    getSelection().selectAllChildren(document.querySelector('#archive-facts dd'));
  })()`);
  const selected = await inUse();
  await changeTo('resume', 'atRisk');

  expect(await facts.textContent()).toContain('to pause');
  expect(selected).toMatchObject({ selected: expect.stringContaining(id) });
  expect(await inUse()).toEqual(selected);
  expect(await page.getByLabel('Reason').inputValue()).toBe('the bucket moves');

  await page.getByLabel('Reason').fill('');
  await page.evaluate('document.activeElement.blur(), getSelection().empty()');
  await changeTo('pause', 'paused');
  await page.getByText('Resume this archive').first().waitFor();

  expect(await facts.textContent()).toContain('to pause');
  expect(complaints).toEqual([]);
});

test('a part of a job page that is in use does not delay the others', async () => {
  const id = await givenJob(world.database, 3);
  const { page } = await browser.open();
  const text = (selector: string) => () => page.locator(selector).textContent();
  const complete = async (slice: number) => {
    await bringTo(world.database, id, slice, 'completed');
    world.jobChanged(id);
  };
  await page.clock.install();
  await page.goto(`${world.url}/ui/jobs/${id}`);
  await page.clock.pauseAt(Date.now() + hourMs);
  await page.evaluate('getSelection().selectAllChildren(document.querySelector("#job-facts dd"))');

  await complete(0);
  await expect.poll(text('#progress')).toContain('1 completed');
  await complete(1);
  await page.clock.runFor(1_000);
  await expect.poll(text('#progress')).toContain('2 completed');
  const kept = await text('#job-facts')();
  await page.evaluate('getSelection().empty()');
  await page.clock.runFor(15_000);

  expect(kept).not.toContain('completed');
  await expect.poll(text('#job-facts')).toContain('2 completed');
});

test.each([
  ['its stream of events is refused', 'eventsource', 503, 1],
  // More than the events of the end cause.
  ['reads of it are refused', 'fetch', 429, 3],
])('a job page shows the end of its job after %s', async (_case, resourceType, status, times) => {
  const id = await givenJob(world.database, 1);
  const { page } = await browser.open();
  let refusals = 0;
  await page.route('**/ui/jobs/**', (route) => {
    if (route.request().resourceType() !== resourceType || refusals === times)
      return route.continue();
    refusals += 1;
    return route.fulfill({ status, body: '' });
  });
  await page.clock.install();
  await page.goto(`${world.url}/ui/jobs/${id}`);

  await bringTo(world.database, id, 0, 'completed');
  world.jobChanged(id);

  const badges = async () => {
    await page.clock.fastForward(15_000);
    return page.locator('#job-facts .badge.completed').count();
  };
  await expect.poll(badges, { interval: 200 }).toBe(1);
  expect(refusals).toBe(times);
});

test.each([
  ['with', true],
  ['without', false],
])('retry and cancel work with the keyboard, %s scripts', async (_case, javaScriptEnabled) => {
  const id = await givenJob(world.database, 3);
  await bringTo(world.database, id, 0, 'failed', problem);
  const { page } = await browser.open({ javaScriptEnabled });
  const tabTo = async (selector: string) => {
    for (let steps = 0; steps < 40; steps++) {
      await page.keyboard.press('Tab');
      if (
        await page
          .locator(selector)
          .evaluate((element) => element === element.ownerDocument.activeElement)
      )
        return;
    }
    throw new Error(`The keyboard does not reach ${selector}.`);
  };

  await page.goto(`${world.url}/ui/jobs/${id}`);
  await tabTo('#retry');
  await page.keyboard.press('Enter');
  await page.getByText('The failed slices are in the queue again.').waitFor();
  await tabTo('#cancel-job summary');
  await page.keyboard.press('Enter');
  await tabTo('#cancel');
  await page.keyboard.press('Enter');
  await page.getByText('The cancel of the job was requested.').waitFor();

  expect(await page.locator('#job-facts .badge').innerText()).toBe('cancelled');
});

test('signs in with an API key, and out', async () => {
  const key = 'the-key-of-the-browser-0123456789';
  using file = openKeysFile([{ name: 'ann', key }]);
  await using guard = await openGuard({ methods: ['api-key'], apiKeysFile: file.path });
  await using guarded = await openWorld({ access: guard.access, jobs: {} });
  guarded.canaries.plant('the key', key);
  const { page, requests, picture } = await browser.open();

  await page.goto(`${guarded.url}/ui/jobs`);
  await picture('ui-sign-in-light');
  const violations = await violationsOf(page);
  await page.getByLabel('API key').fill('a-wrong-key');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  await page.getByLabel('API key').fill(key);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Jobs' }).waitFor();
  const [cookie] = await page.context().cookies(`${guarded.url}/ui`);
  await page.goto(`http://localhost:${guarded.port}/problems`); // another site
  await page.evaluate(`location.href = '${guarded.url}/ui/jobs'`);
  await page.getByRole('heading', { name: 'Jobs' }).waitFor();
  const ofApi = await page.context().cookies(`${guarded.url}/export-jobs`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('API key').waitFor();

  expect(violations).toEqual([]);
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/ui' });
  expect(ofApi).toEqual([]);
  const [left] = await page.context().cookies(`${guarded.url}/ui`);
  expect(left?.value).toMatch(/^[0-9a-f-]{36}$/); // a new session without a credential
  expect(requests.filter((url) => url.includes(key))).toEqual([]);
});
