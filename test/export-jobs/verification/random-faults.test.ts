import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { expect, test } from 'vitest';

import { makeRandom } from '../../random.ts';
import type { Queue } from '../open-queue.ts';
import { openSeededQueue, verificationsOf } from './seeded-exports.ts';

// 250 of each fault were checked once with TEST_FAULTS=250.
const trials = Number(process.env.TEST_FAULTS ?? 2);

interface Kind {
  name: string;
  fault?: (random: () => number) => object;
  /** Whether only a count tells it. */
  isCounted?: boolean;
  deniedActions?: string[];
  attempts: 1 | 2;
  method?: string;
}

// A log group has three streams, so an export has three objects.
const kinds: Kind[] = [
  { name: 'no fault', attempts: 1 },
  { name: 'all missing', fault: () => ({ kind: 'objects-missing', missing: 'all' }), attempts: 2 },
  {
    name: 'some missing',
    fault: (random) => ({ kind: 'objects-missing', missing: 1 + Math.floor(random() * 2) }),
    isCounted: true,
    attempts: 2,
  },
  {
    name: 'all late by seconds',
    fault: (random) => ({ kind: 'objects-late', delayMs: 1 + Math.floor(random() * 4_500) }),
    attempts: 1,
  },
  {
    name: 'some late by seconds',
    fault: (random) => ({
      kind: 'objects-late',
      delayMs: 1 + Math.floor(random() * 4_500),
      of: 1 + Math.floor(random() * 2),
    }),
    isCounted: true,
    attempts: 1,
  },
  {
    name: 'all late by a minute',
    fault: () => ({ kind: 'objects-late', delayMs: 60_000 }),
    attempts: 2,
  },
  {
    name: 'truncated',
    fault: () => ({ kind: 'object-truncated' }),
    isCounted: true,
    attempts: 2,
  },
  { name: 'listing denied', deniedActions: ['s3:ListBucket'], attempts: 1, method: 'skipped' },
];

/** Exports one slice under a fault, and says how often it was exported and how it was verified. */
async function exportUnder(queue: Queue, kind: Kind, random: () => number) {
  const { emulator } = queue;
  emulator.options.change({ deniedActions: { '*': kind.deniedActions ?? [] } });
  if (kind.fault)
    emulator.faults.add({ operation: 'CreateExportTask', ...kind.fault(random) } as Fault);
  const verification = kind.isCounted || random() < 0.5 ? 'count' : 'objects';
  const jobId = await queue.put({ verification });
  await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'completed');
  const [slice] = await queue.slices(jobId);
  const rows = (await verificationsOf(queue)).filter((row) => row.jobId === jobId);
  const { method, objects } = rows.at(-1) ?? {};
  return { kind: kind.name, attempts: slice?.attempt, method, objects, verification };
}

test('tells each fault of an export', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  process.stdout.write(`faults: seed ${seed}\n`);
  const random = makeRandom(seed);
  await using queue = await openSeededQueue({ emulator: { pendingMs: 100, runningMs: 100 } });
  const wrong: object[] = [];
  let done = 0;
  for (; done < trials * kinds.length; done += 1) {
    const kind = kinds[done % kinds.length] ?? { name: '', attempts: 1 };

    const found = await exportUnder(queue, kind, random);

    const { attempts, method = found.verification } = kind;
    const objects = method === 'skipped' ? null : 3;
    const isRight =
      found.attempts === attempts && found.method === method && found.objects === objects;
    if (!isRight) wrong.push(found);
  }

  expect(wrong).toEqual([]);
  expect(done).toBe(trials * kinds.length);
}, 3_600_000);
