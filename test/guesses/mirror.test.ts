import type { Emulator, EmulatorOptions, Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { createBody, openWorld, type World } from '../world.ts';
import { guessesAboutAws } from './guesses.ts';

const unavailable = { kind: 'error', code: 'ServiceUnavailableException' } as const;

/** Ways to lose the answer to a create. */
const lostAnswers: readonly (Omit<Fault, 'operation'> & { name: string })[] = [
  { name: 'a reset after the effect', kind: 'reset-after' },
  { name: 'an error after the effect', ...unavailable, afterEffect: true },
  { name: 'half an answer', kind: 'cut-body' },
  { name: 'a reset before the effect', kind: 'reset-before' },
  { name: 'an error before the effect', ...unavailable },
] as never;

/** Creates a task with a fault. Returns the answer, and the tasks that AWS has created. */
async function createWithFault(world: World, fault: Omit<Fault, 'operation'>, nth: number) {
  const from = createBody.from + nth;
  world.emulator.faults.add({ ...fault, operation: 'CreateExportTask' } as Fault);
  const { status, body } = await world.call('POST', '/export-tasks', {
    ...createBody,
    from,
    destinationPrefix: 'exports/app/',
  });
  const created = world.emulator.exportTasks().filter((task) => task.from === BigInt(from));
  return { status, body, created: created.map(({ taskId }) => taskId) };
}

/** A world whose clocks advance together, in sleeps and by the test. */
async function openVirtualTime(emulator: EmulatorOptions) {
  const startAt = Date.now();
  let advancedMs = 0;
  const advance = async (ms: number, { clock }: Emulator) => {
    advancedMs += ms;
    clock.advance(ms);
  };
  const world = await openWorld({
    emulator: { startAt, ...emulator },
    sleep: advance,
    now: () => Date.now() + advancedMs,
    elapsed: () => performance.now() + advancedMs,
  });
  return Object.assign(world, { advance: (ms: number) => void advance(ms, world.emulator) });
}

describe.each(guessesAboutAws(1_000))('AWS might also $name:', ({ emulator }) => {
  test('a create in the mirror never returns a false result after a lost answer', async () => {
    await using world = await openVirtualTime(emulator);

    for (const [nth, { name, ...fault }] of lostAnswers.entries()) {
      const { status, body, created } = await createWithFault(world, fault, nth);

      const description = `${name}: ${status} ${JSON.stringify(body)}, AWS has ${created.length}`;
      if (status === 201) expect(created, description).toEqual([body.taskId]);
      else if (body.type.endsWith('/outcome-unknown')) expect(status, description).toBe(504);
      else expect(created, description).toEqual([]);
      world.advance(60_000);
    }
  });

  test('a cancel in the mirror ends the task for good', async () => {
    await using world = await openVirtualTime({ runningMs: 60_000, ...emulator });
    const created = await world.call('POST', '/export-tasks', createBody);
    const path = `/export-tasks/${created.body.taskId}`;
    world.advance(1_000);
    world.emulator.faults.add({ operation: 'CancelExportTask', kind: 'reset-after' });

    const cancelled = await world.call('POST', `${path}/cancel`);
    const again = await world.call('POST', `${path}/cancel`);
    world.advance(10_000);
    const shown = await world.call('GET', path);

    const [task] = world.emulator.exportTasks();
    expect([cancelled.status, cancelled.body]).toEqual([202, expect.anything()]);
    expect([202, 409]).toContain(again.status);
    expect(['CANCELLED', 'COMPLETED']).toContain(task?.status);
    expect(shown.body.status.code).toBe(task?.status);
  });
});
