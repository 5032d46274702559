import { afterAll, beforeAll, expect, test } from 'vitest';

import { openStrippingProxy, type StrippingProxy } from '../stripping-proxy.ts';
import { openWorld, region, type World } from '../world.ts';
import { openBrowser, type TestBrowser } from './browser.ts';

let browser: TestBrowser;
let world: World;
let proxy: StrippingProxy;

beforeAll(async () => {
  browser = await openBrowser();
  world = await openWorld({ basePath: '/logs-gateway' });
  world.emulator.seed.logGroup({ region, logGroupName: '/demo/checkout' });
  world.emulator.seed.bucket({ region, bucket: 'demo-log-archive' });
  proxy = await openStrippingProxy('/logs-gateway', world.port);
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await browser[Symbol.asyncDispose]();
});

test('Swagger UI and "Try it out" work behind a proxy that removes a path prefix', async () => {
  const { page, complaints, requests, picture } = await browser.open();

  await page.goto(`${proxy.url}/docs`);
  await page.locator('.opblock').first().waitFor();
  await picture('base-path-servers', '.scheme-container');
  const operation = page.locator('[id$="-createExportTask"]');
  await operation.locator('.opblock-summary-control').click();
  await operation.getByRole('button', { name: 'Execute' }).click();
  const answer = operation.locator('.responses-wrapper .live-responses-table');
  const status = await answer.locator('.response .response-col_status').innerText();
  await picture('base-path-answer', '[id$="-createExportTask"] .live-responses-table');

  expect(status).toBe('201');
  expect(await answer.innerText()).toContain('location: /logs-gateway/export-tasks/');
  expect(await page.locator('.servers select').innerText()).toContain('/logs-gateway');
  const elsewhere = (url: string) => !url.startsWith(`${proxy.url}/`) && !url.startsWith('data:');
  expect(requests.filter(elsewhere)).toEqual([]);
  expect(complaints).toEqual([]);
});

test('links of problem pages work behind a proxy that removes a path prefix', async () => {
  const { page, complaints } = await browser.open();

  await page.goto(`${proxy.url}/problems/export-slot-taken`);
  await page.getByRole('link', { name: 'All problems' }).click();
  await page.waitForURL(`${proxy.url}/problems`);
  await page.getByRole('link', { name: 'Export slot taken by another task' }).click();
  await page.waitForURL(`${proxy.url}/problems/export-slot-taken`);
  await page.getByRole('link', { name: 'API documentation' }).click();
  await page.locator('.opblock').first().waitFor();

  expect(page.url()).toBe(`${proxy.url}/docs`);
  expect(complaints).toEqual([]);
});
