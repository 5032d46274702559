import { createHash } from 'node:crypto';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { openGuard } from '../auth/guard.ts';
import { accessBy } from '../auth/policy-folder.ts';
import { openWorld } from '../world.ts';
import { openBrowser } from './browser.ts';

test('Swagger UI sends the API key and shows the permitted answer', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'authorize-'));
  const apiKeysFile = join(folder.path, 'api-keys.json');
  const sha256 = createHash('sha256').update('a-key-for-the-browser').digest('hex');
  writeFileSync(apiKeysFile, JSON.stringify([{ name: 'ann', sha256, groups: ['operators'] }]));
  await using guard = await openGuard({ methods: ['api-key'], apiKeysFile });
  const { authenticate } = guard;
  await using world = await openWorld({
    access: async (audit) => ({ ...(await accessBy('deploy/policies', {})(audit)), authenticate }),
  });
  await using browser = await openBrowser();
  const { page, picture } = await browser.open();
  const execute = async (operationId: string) => {
    const operation = page.locator(`[id$="-${operationId}"]`);
    await operation.locator('.opblock-summary-control').click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    return operation.locator('.live-responses-table .response-col_status').last().innerText();
  };
  await page.goto(`${world.url}/docs`);

  const unknown = await execute('describeExportTasks');
  await page.getByRole('button', { name: 'Authorize' }).click();
  const dialog = page.locator('.dialog-ux');
  await picture('authorize', '.dialog-ux .modal-ux');
  await dialog
    .getByLabel('auth-api-key-value')
    .or(dialog.locator('#api_key_value'))
    .fill('a-key-for-the-browser');
  await dialog
    .locator('.auth-container', { hasText: 'apiKey' })
    .getByRole('button', { name: 'Apply credentials' })
    .click();
  await dialog.locator('.close-modal').click();
  const targets = await execute('listTargets');
  const create = await execute('createExportTask');
  await picture('not-permitted', '[id$="-createExportTask"] .live-responses-table');

  expect([unknown, targets, create]).toEqual(['401', '200', '403']);
  expect(world.log.at(-1)).toMatchObject({ principal: 'api-key#ann', problem: 'not-permitted' });
});
