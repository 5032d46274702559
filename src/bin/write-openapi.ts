import { mkdirSync, writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { buildApp } from '#app.ts';
import { makeAudit } from '#audit/audit.ts';
import { openToAll } from '#auth/access.ts';
import { Manifest } from '#export-jobs/verification/manifest/manifest.ts';
import { toYamlText } from '#openapi/document-text.ts';
import type { Targets } from '#targets/target.ts';

// The document is made from the routes alone; no handler runs.
const noTargets = { [Symbol.asyncDispose]: async () => {} } as unknown as Targets;

// The document needs no database.
const notOpened = { [Symbol.dispose]() {} } as never;

await using app = await buildApp({
  log: pino({ enabled: false }),
  targets: noTargets,
  access: openToAll,
  audit: makeAudit({ write() {} }),
  isStopping: () => false,
  now: () => 0,
  elapsed: () => 0,
  sleep: async () => {},
  newId: () => '',
  random: () => 0,
  loopDelayMs: () => 0,
  rateLimits: { createsPerMinute: 0, requestsPerMinute: 0 },
  jobs: {
    database: notOpened,
    watch: notOpened,
    sleepUntilAborted: notOpened,
    queue: notOpened,
    slots: notOpened,
    wake: () => {},
    isMarker: async () => false,
  },
  archives: { watch: notOpened, wake: () => {}, heartbeatOrigins: [] },
  webhookEndpoints: { origins: [], wake: () => {}, newKey: notOpened },
});
await app.ready();

const jsonText = app.openapiText();
mkdirSync('openapi', { recursive: true });
writeFileSync('openapi/openapi.json', jsonText);
writeFileSync('openapi/openapi.yaml', toYamlText(jsonText));
writeFileSync('openapi/manifest.schema.json', `${JSON.stringify(Manifest, null, 2)}\n`);
