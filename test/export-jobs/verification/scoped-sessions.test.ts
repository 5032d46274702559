import { expect, test } from 'vitest';

import { sessionNameOf } from '#aws/sessions/session-name.ts';
import { region } from '../../world.ts';
import { openSeededQueue, readManifests, verificationsOf } from './seeded-exports.ts';

const roleArn = 'arn:aws:iam::123456789012:role/log-export';

test('a verification in its own sessions counts, proves emptiness and writes manifests', async () => {
  await using queue = await openSeededQueue({
    isSessionScoped: true,
    targets: [{ name: 'default', region, roleArn }],
  });
  // The second hour has no events.
  const counted = await queue.put({ verification: 'count', slices: 2 });
  const listed = await queue.put({ verification: 'objects', slices: 2 });
  await queue.runUntilDone();

  const rows = Map.groupBy(await verificationsOf(queue), ({ jobId }) => jobId);
  const evidence = expect.stringContaining('"isExhaustive":true');
  expect(rows.get(counted)).toMatchObject([
    { slice: 0, method: 'count', records: 6, events: 6, isEmpty: 0 },
    { slice: 1, method: 'count', events: 0, isEmpty: 1, evidence },
  ]);
  expect(rows.get(listed)).toMatchObject([
    { slice: 0, method: 'objects', isEmpty: 0 },
    { slice: 1, method: 'objects', isEmpty: 1, evidence },
  ]);
  const operations = ['ListObjectsV2', 'GetObject', 'PutObject', 'FilterLogEvents', 'StartQuery'];
  for (const operation of operations) {
    const callers = queue.calls(operation).map(({ sourceIdentity }) => sourceIdentity);
    expect(new Set(callers)).toEqual(new Set([sessionNameOf('anonymous')]));
  }
  const calls = queue.audit.filter(({ audit }) => audit === 'aws-call');
  expect(new Set(calls.map(({ outcome }) => outcome))).toEqual(new Set(['ok']));
  expect(await readManifests(queue)).toHaveLength(4);
});
