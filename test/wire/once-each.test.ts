import {
  CreateExportTaskCommand,
  DescribeExportTasksCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, test } from 'vitest';

import { openAnswerDropper } from './answer-dropper.ts';
import { openWire, type Wire } from './open-wire.ts';

// 1,000 creates were made once with TEST_CREATES=1000.
const creates = Number(process.env.TEST_CREATES ?? 25);

const window = { logGroupName: '/app', from: 1_611_316_574, to: 1_642_852_574 };

/** The ids of the tasks of the endpoint, as the emulator has them, sorted. */
function idsAtAws(wire: Wire): string[] {
  const prefixes = wire.emulator.exportTasks().map((task) => task.destinationPrefix ?? '');
  return prefixes.map((prefix) => prefix.split('/').at(-1) ?? '').sort();
}

/** Waits until all tasks of the caller have ended, as a client of AWS does. */
async function untilDone(wire: Wire): Promise<void> {
  const client = wire.client();
  for (const statusCode of ['PENDING', 'RUNNING'] as const) {
    for (;;) {
      const page = await client.send(new DescribeExportTasksCommand({ statusCode, limit: 1 }));
      if (page.exportTasks?.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe('the SDK with its default retries', () => {
  test('creates each task once if its first answer is lost', async () => {
    await using wire = await openWire();
    await using dropper = await openAnswerDropper(wire.url);
    const client = wire.client({ url: dropper.url });

    const ids: (string | undefined)[] = [];
    for (let first = 0; first < creates; first += 5) {
      const sent = Array.from({ length: Math.min(5, creates - first) }, (_, index) => {
        const destinationPrefix = `exports/${first + index}`;
        const input = { ...window, destination: 'archive', destinationPrefix };
        return client.send(new CreateExportTaskCommand(input));
      });
      ids.push(...(await Promise.all(sent)).map(({ taskId }) => taskId));
    }
    await untilDone(wire);

    expect(dropper.dropped()).toBe(creates);
    expect(new Set(ids).size).toBe(creates);
    expect(idsAtAws(wire)).toEqual(ids.sort());
  });
});

/** A client that sleeps while AWS has another task, and creates the next one when it can. */
async function exportInLoop(wire: Wire, prefix: string, groups: number): Promise<string[]> {
  const client = wire.client();
  const ids: string[] = [];
  for (let group = 0; group < groups; group += 1) {
    for (;;) {
      try {
        const input = {
          ...window,
          destination: 'archive',
          destinationPrefix: `${prefix}/${group}`,
        };
        const { taskId = '' } = await client.send(new CreateExportTaskCommand(input));
        ids.push(taskId);
        break;
      } catch (error) {
        if ((error as Error).name !== 'LimitExceededException') throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
  return ids;
}

/** A step function: it creates a task, and polls it until it has ended, before it creates the next one. */
async function exportInSteps(wire: Wire, prefix: string, groups: number): Promise<string[]> {
  const client = wire.client();
  const ids: string[] = [];
  for (let group = 0; group < groups; group += 1) {
    const input = { ...window, destination: 'archive', destinationPrefix: `${prefix}/${group}` };
    const { taskId = '' } = await client.send(new CreateExportTaskCommand(input));
    ids.push(taskId);
    for (let code = 'PENDING'; code === 'PENDING' || code === 'RUNNING'; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const page = await client.send(new DescribeExportTasksCommand({ taskId }));
      code = page.exportTasks?.[0]?.status?.code ?? 'lost';
    }
  }
  return ids;
}

test('ten exporters at one slot lose no task and make none twice', async () => {
  await using wire = await openWire();
  const groups = 2;

  const names = Array.from({ length: 5 }, (_, index) => index);
  const exported = await Promise.all([
    ...names.map((name) => exportInLoop(wire, `loop-${name}`, groups)),
    ...names.map((name) => exportInSteps(wire, `steps-${name}`, groups)),
  ]);
  await untilDone(wire);

  const ids = exported.flat();
  expect(ids).toHaveLength(10 * groups);
  expect(idsAtAws(wire)).toEqual(ids.sort());
  const page = await wire.client().send(new DescribeExportTasksCommand({ limit: 50 }));
  expect(new Set(page.exportTasks?.map(({ status }) => status?.code))).toEqual(
    new Set(['COMPLETED']),
  );
});
