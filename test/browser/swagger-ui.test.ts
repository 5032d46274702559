import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { openWorld, region, type World } from '../world.ts';
import { openBrowser, type TestBrowser, type WatchedPage } from './browser.ts';

/** The elements of Swagger UI with the request and the answer. */
const liveAnswer = '.responses-wrapper .live-responses-table';

type Path = Record<string, { summary: string }>;

let browser: TestBrowser;
let world: World;

beforeAll(async () => {
  browser = await openBrowser();
  world = await openWorld();
  world.emulator.seed.logGroup({ region, logGroupName: '/demo/checkout' });
  world.emulator.seed.bucket({ region, bucket: 'demo-log-archive' });
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await browser[Symbol.asyncDispose]();
});

test('shows every operation of the document in Swagger UI', async () => {
  const { page, complaints, requests, picture } = await browser.open();
  const { paths } = JSON.parse(world.app.openapiText()) as { paths: Record<string, Path> };
  const operations = Object.values(paths).flatMap((path) => Object.values(path));

  await page.goto(`${world.url}/docs`);
  await page.locator('.opblock').first().waitFor();
  await picture('swagger-ui');

  expect(await page.title()).toBe('log-export-gateway');
  expect(await page.locator('.opblock-summary-description').allTextContents()).toEqual(
    operations.map((operation) => operation.summary),
  );
  expect(await page.locator('.auth-wrapper > .authorize').innerText()).toBe('Authorize');
  expect(requests).toContain(`${world.url}/openapi.json`);
  expectNobodyElseAsked(requests);
  expect(complaints).toEqual([]);
});

test('"Try it out" with the unchanged example creates an export task', async () => {
  const watched = await browser.open();
  const { page, complaints, requests, picture } = watched;
  await openOperation(watched, 'createExportTask');

  await page.getByRole('button', { name: 'Execute' }).click();

  expect(await statusShown(page)).toBe('201');
  await picture('created', liveAnswer);
  const [create] = world.creates();
  expect(create?.input).toMatchObject({
    logGroupName: '/demo/checkout',
    destination: 'demo-log-archive',
  });
  expectNobodyElseAsked(requests);
  expect(complaints).toEqual([]);
});

test('Swagger UI shows a problem with readable text', async () => {
  const watched = await browser.open();
  const { page, complaints, requests, picture } = watched;
  await openOperation(watched, 'createExportTask');

  await page.locator('textarea.body-param__text').fill('{"from": "yesterday"}');
  await page.getByRole('button', { name: 'Execute' }).click();

  expect(await statusShown(page)).toBe('400');
  await picture('refused', liveAnswer);
  const shown = await page.locator(liveAnswer).innerText();
  expect(shown).toContain('Invalid request');
  expect(shown).toContain('but is \\"yesterday\\"');
  expectNobodyElseAsked(requests);
  // The message of the browser for every status above 399, and no other.
  expect(complaints).toEqual([expect.stringContaining('status of 400 (Bad Request)')]);
});

test.each(['light', 'dark'] as const)(
  'explains a problem on an HTML page, %s',
  async (colorScheme) => {
    const { page, complaints, requests, picture } = await browser.open({ colorScheme });

    await page.goto(`${world.url}/problems/export-slot-taken`);
    await picture(`problem-${colorScheme}`);

    expect(await page.locator('h1').innerText()).toBe('Export slot taken by another task');
    expect(await page.locator('body').innerText()).toContain('AWS runs one export task at a time');
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(background).toBe(colorScheme === 'dark' ? 'rgb(13, 17, 23)' : 'rgb(255, 255, 255)');
    expectNobodyElseAsked(requests);
    expect(complaints).toEqual([]);
  },
);

test('shows the catalogue of problems with a link to each problem', async () => {
  const { page, complaints, picture } = await browser.open();

  await page.goto(`${world.url}/problems`);
  await picture('problems');
  await page.getByRole('link', { name: 'Unknown outcome of CreateExportTask' }).click();

  await page.waitForURL(`${world.url}/problems/outcome-unknown`);
  expect(complaints).toEqual([]);
});

async function openOperation({ page }: WatchedPage, operationId: string): Promise<void> {
  await page.goto(`${world.url}/docs`);
  await page.locator(`[id$="-${operationId}"] .opblock-summary-control`).click();
  await page.getByRole('button', { name: 'Execute' }).waitFor();
}

function statusShown(page: Page): Promise<string> {
  return page.locator(`${liveAnswer} .response .response-col_status`).innerText();
}

function expectNobodyElseAsked(requests: string[]): void {
  const elsewhere = requests.filter(
    (url) => !url.startsWith(`${world.url}/`) && !url.startsWith('data:'),
  );
  expect(elsewhere).toEqual([]);
}
