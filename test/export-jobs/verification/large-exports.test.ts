import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';

import type { ClaimedVerification } from '#export-jobs/store/verifications/claim-verification.ts';
import { totalExport } from '#export-jobs/verification/list-export.ts';
import { Manifest, ManifestObject } from '#export-jobs/verification/manifest/manifest.ts';
import { writeManifest } from '#export-jobs/verification/manifest/write-manifest.ts';
import type { Queue } from '../open-queue.ts';
import { openSeededQueue, readManifests } from './seeded-exports.ts';

const ajv = new Ajv2020({ strict: false, validateFormats: false });

/** Exports all log streams of a queue. Returns the export. */
async function exportMany(queue: Queue) {
  const jobId = await queue.put({ verification: 'off' });
  await queue.runUntilDone();
  const [task] = queue.emulator.exportTasks();
  const target = queue.targets.find(undefined);
  const claim = {
    jobId,
    slice: 0,
    attempt: 1,
    caller: 'anonymous',
    taskId: task?.taskId ?? '',
    destination: 'archive',
    destinationPrefix: `jobs/${jobId}/1`,
    logGroupName: '/app',
    logStreamNamePrefix: null,
    fromAt: 0,
    toAt: 3_600_000,
    submittedAt: 1,
    taskCreatedAt: null,
    taskCompletedAt: 2,
  } as ClaimedVerification;
  const totals = await totalExport(target.storage, claim, {});
  const findings = { ...totals, method: 'objects', isEmpty: false, evidence: {} } as const;
  return { target, storage: target.storage, claim, findings, options: {} };
}

test('a large export has the list of its objects beside its manifest, written once', async () => {
  await using queue = await openSeededQueue({ streams: 40 });
  const exported = { ...(await exportMany(queue)), maxInlineObjects: 39 };

  const first = await writeManifest(exported);
  const again = await writeManifest(exported);

  expect(exported.findings).toMatchObject({ objects: 40, streams: 40 });
  expect(again).toEqual(first);
  const [files, { manifest, sha256 } = { manifest: undefined, sha256: '' }, ...others] = (
    await readManifests(queue)
  ).toSorted((one, other) => other.key.length - one.key.length);
  expect(others).toEqual([]);
  expect(first).toMatchObject({ outcome: 'written', manifest: { sha256 } });
  expect(ajv.validate(Manifest, manifest)).toBe(true);
  expect(manifest).not.toHaveProperty('objects');
  expect(manifest.filesKey).toBe(files?.key);
  expect(manifest.filesSha256).toBe(
    createHash('sha256')
      .update(files?.bytes ?? '')
      .digest('hex'),
  );
  const lines = gunzipSync(files?.bytes ?? '')
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toHaveLength(40);
  expect(lines.every((line) => ajv.validate(ManifestObject, line))).toBe(true);
  expect(lines.reduce((sum, { size }) => sum + size, 0)).toBe(manifest.totals.bytes);
  expect(lines.map(({ key }) => key)).toEqual(lines.map(({ key }) => key).toSorted());
});

test('a manifest is not written if the objects have changed since they were counted', async () => {
  await using queue = await openSeededQueue({ streams: 3 });
  const { findings, ...exported } = await exportMany(queue);

  const more = await writeManifest({ ...exported, findings: { ...findings, objects: 4 } });
  const larger = await writeManifest({
    ...exported,
    findings: { ...findings, bytes: findings.bytes + 1 },
    maxInlineObjects: 0,
  });

  expect([more, larger]).toEqual([{ outcome: 'changed' }, { outcome: 'changed' }]);
  expect(await readManifests(queue)).toEqual([]);
});

test('openapi/manifest.schema.json is the schema of manifests', () => {
  const schema = JSON.parse(readFileSync('openapi/manifest.schema.json', 'utf8'));

  expect(schema).toEqual(JSON.parse(JSON.stringify(Manifest)));
});
