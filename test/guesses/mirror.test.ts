import type { Emulator, EmulatorOptions, Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { openWorld, order, type World } from '../world.ts';
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

/** Creates a task whose answer is lost; what the caller is told, and the tasks AWS made. */
async function createUnder(world: World, fault: Omit<Fault, 'operation'>, nth: number) {
  const from = order.from + nth;
  world.emulator.faults.add({ ...fault, operation: 'CreateExportTask' } as Fault);
  const { status, body } = await world.call('POST', '/export-tasks', {
    ...order,
    from,
    destinationPrefix: 'exports/app/',
  });
  const made = world.emulator.exportTasks().filter((task) => task.from === BigInt(from));
  return { status, body, made: made.map(({ taskId }) => taskId) };
}

/** A world whose clocks are turned together, by whoever sleeps in it and by the test; AWS's stands else. */
async function openTurned(emulator: EmulatorOptions) {
  const startAt = Date.now();
  let turnedMs = 0;
  const turn = async (ms: number, { clock }: Emulator) => {
    turnedMs += ms;
    clock.advance(ms);
  };
  const world = await openWorld({
    emulator: { startAt, ...emulator },
    sleep: turn,
    now: () => Date.now() + turnedMs,
    elapsed: () => performance.now() + turnedMs,
  });
  return Object.assign(world, { advance: (ms: number) => void turn(ms, world.emulator) });
}

describe.each(guessesAboutAws(1_000))('AWS might also $name:', ({ emulator }) => {
  test('a create in the mirror never returns a false result after a lost answer', async () => {
    await using world = await openTurned(emulator);

    for (const [nth, { name, ...fault }] of lostAnswers.entries()) {
      const { status, body, made } = await createUnder(world, fault, nth);

      const what = `${name}: ${status} ${JSON.stringify(body)}, AWS has ${made.length}`;
      if (status === 201) expect(made, what).toEqual([body.taskId]);
      else if (body.type.endsWith('/outcome-unknown')) expect(status, what).toBe(504);
      else expect(made, what).toEqual([]);
      world.advance(60_000);
    }
  });

  test('a cancel in the mirror ends the task for good', async () => {
    await using world = await openTurned({ runningMs: 60_000, ...emulator });
    const created = await world.call('POST', '/export-tasks', order);
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
