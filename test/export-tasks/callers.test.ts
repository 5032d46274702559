import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';

import type { Question } from '#auth/authorization/authorizer.ts';
import { as, callersBy } from '../access.ts';
import { type Answer, createBody, openWorld, region } from '../world.ts';

const emulator = { runningMs: 3_600_000 };
const theirs = { ...createBody, taskName: 'their-secret-name', logGroupName: '/theirs' };

/** Ann and Tom may use one log group each. The reader may see everything. */
const access = callersBy(({ subject }, { action, resource }) => {
  if (subject === 'reader') return action === 'DescribeExportTasks';
  const own = subject === 'ann' ? '/app' : '/theirs';
  return resource.logGroupName === own;
});

async function openTwoCallers(options: Parameters<typeof openWorld>[0] = {}) {
  const world = await openWorld({ emulator, access, ...options });
  world.emulator.seed.logGroup({ region, logGroupName: '/theirs' });
  return world;
}

/** The parts of an answer that do not depend on its time and its request id. */
const comparableOf = ({ status, headers, text }: Answer) => ({
  status,
  headers: [...headers].filter(([name]) => !['x-request-id', 'date'].includes(name)),
  text: text.replace(/urn:uuid:[0-9a-f-]{36}/, ''),
});

describe('an unknown caller', () => {
  test.for([
    ['POST', '/export-tasks'],
    ['GET', '/export-tasks'],
    ['GET', '/export-tasks/x'],
    ['POST', '/export-tasks/x/cancel'],
    ['GET', '/targets'],
    ['GET', '/targets/default'],
  ] as const)(
    'receives 401 unauthenticated on %s %s, without a call to AWS',
    async ([method, path]) => {
      await using world = await openTwoCallers();

      const { status, body, headers } = await world.call(
        method,
        path,
        method === 'POST' ? createBody : undefined,
      );

      expect([status, body.type]).toEqual([401, '/problems/unauthenticated']);
      expect(headers.get('www-authenticate')).toBe('Test');
      expect(world.emulator.journal.entries()).toEqual([]);
      expect(world.audit.at(-1)).toMatchObject({ audit: 'refusal', error: 'No name.' });
    },
  );
});

describe('a create', () => {
  test('is authorized with exactly the values that are sent to AWS', async () => {
    const questions: Question[] = [];
    await using world = await openWorld({
      access: callersBy((_principal, question) => questions.push(question) > 0),
    });
    const body = JSON.stringify(createBody).replace(/"to":\d+/, '"to":1152921504606846976');

    await world.call('POST', '/export-tasks', body, as('ann'));

    const { logGroupName, destination, destinationPrefix, from } = createBody;
    expect(questions).toMatchObject([
      {
        action: 'CreateExportTask',
        resource: { target: { name: 'default', region, accountId: '123456789012' }, logGroupName },
        context: {
          destination,
          destinationPrefix,
          from: BigInt(from),
          to: 1152921504606846976n,
        },
      },
    ]);
    expect(world.creates()[0]?.input).toMatchObject({
      logGroupName,
      destination,
      destinationPrefix,
      from,
      to: 1152921504606846976n,
    });
  });

  test.for([undefined, '', null])(
    'without a prefix (%j) is authorized, sent and shown with the default prefix of AWS',
    async (destinationPrefix) => {
      const questions: Question[] = [];
      await using world = await openWorld({
        access: callersBy((_principal, question) => questions.push(question) > 0),
      });

      const body = { ...createBody, destinationPrefix };
      const created = await world.call('POST', '/export-tasks', body, as('ann'));
      const shown = await world.call(
        'GET',
        `/export-tasks/${created.body.taskId}`,
        undefined,
        as('ann'),
      );

      expect(questions[0]?.context?.destinationPrefix).toBe('exportedlogs');
      expect(world.creates()[0]?.input).toMatchObject({ destinationPrefix: 'exportedlogs' });
      expect(shown.body.destinationPrefix).toBe('exportedlogs');
    },
  );

  test('is rejected with 403 not-permitted and never reaches AWS when no policy permits it', async () => {
    await using world = await openTwoCallers();

    const { status, body } = await world.call('POST', '/export-tasks', theirs, as('ann'));

    expect([status, body.type]).toEqual([403, '/problems/not-permitted']);
    expect(world.emulator.journal.entries()).toEqual([]);
  });

  test('gets 429 without the slot holder when the caller may not see the holder', async () => {
    await using world = await openTwoCallers();
    await world.call('POST', '/export-tasks', theirs, as('tom'));

    const { status, body, text } = await world.call('POST', '/export-tasks', createBody, as('ann'));

    expect([status, body.type]).toEqual([429, '/problems/export-slot-taken']);
    expect(body.slotHolder).toBeUndefined();
    expect(text).not.toContain('their');
  });

  test('gets 429 with the slot holder when the caller may see the holder', async () => {
    await using world = await openTwoCallers();
    const first = await world.call('POST', '/export-tasks', createBody, as('ann'));

    const { body } = await world.call('POST', '/export-tasks', createBody, as('ann'));

    expect(body.slotHolder).toMatchObject({ taskId: first.body.taskId, logGroupName: '/app' });
  });
});

describe('a task of another caller', () => {
  test('is listed only for callers who may see it', async () => {
    await using world = await openTwoCallers({ emulator: { activeTaskLimit: 9 } });
    const own = await world.call('POST', '/export-tasks', createBody, as('ann'));
    const foreign = await world.call('POST', '/export-tasks', theirs, as('tom'));

    const list = async (name: string) => {
      const { body } = await world.call('GET', '/export-tasks', undefined, as(name));
      return body.exportTasks.map(({ taskId }: { taskId: string }) => taskId);
    };

    expect(await list('ann')).toEqual([own.body.taskId]);
    expect(await list('tom')).toEqual([foreign.body.taskId]);
    expect(await list('reader')).toEqual([foreign.body.taskId, own.body.taskId]);
  });

  test.for([
    ['shown', 'GET', ''],
    ['cancelled', 'POST', '/cancel'],
  ] as const)(
    'cannot be %s: the answer is the same as for a task that does not exist',
    async ([, method, path]) => {
      await using world = await openTwoCallers();
      const { body } = await world.call('POST', '/export-tasks', theirs, as('tom'));
      const send = (id: string) =>
        world.call(
          method,
          `/export-tasks/${id}${path}`,
          method === 'POST' ? {} : undefined,
          as('ann'),
        );

      const foreign = await send(body.taskId);
      const unknown = await send(randomUUID());

      expect(foreign.status).toBe(404);
      expect(comparableOf(foreign)).toEqual(comparableOf(unknown));
      expect(world.calls('CancelExportTask')).toEqual([]);
    },
  );

  test('can be read but not cancelled by a caller who may only see it', async () => {
    await using world = await openTwoCallers();
    const { body } = await world.call('POST', '/export-tasks', theirs, as('tom'));
    const path = `/export-tasks/${body.taskId}`;

    const shown = await world.call('GET', path, undefined, as('reader'));
    const cancelled = await world.call('POST', `${path}/cancel`, {}, as('reader'));

    expect(shown.body).toMatchObject({ taskId: body.taskId, logGroupName: '/theirs' });
    expect([cancelled.status, cancelled.body.type]).toEqual([
      404,
      '/problems/export-task-not-found',
    ]);
  });

  test('can be cancelled by a caller who may cancel it', async () => {
    await using world = await openTwoCallers();
    const { body } = await world.call('POST', '/export-tasks', theirs, as('tom'));

    const cancelled = await world.call(
      'POST',
      `/export-tasks/${body.taskId}/cancel`,
      {},
      as('tom'),
    );

    expect(cancelled.status).toBe(202);
    expect(world.calls('CancelExportTask')).toHaveLength(1);
  });

  test('leaves no byte of its names in answers to a caller who may not see it, among a thousand tasks', async () => {
    await using world = await openTwoCallers();
    const marked = {
      taskName: 'canary-task',
      logGroupName: '/theirs',
      destination: 'canary-bucket',
    };
    const ids = world.emulator.seed.finishedTasks({ region, count: 1_000, order: marked });
    const sample = ids.filter((_id, index) => index % 20 === 0);

    const answers: Answer[] = [];
    let at: string | undefined;
    do {
      const query = at === undefined ? '' : `?nextToken=${encodeURIComponent(at)}`;
      const page = await world.call('GET', `/export-tasks${query}`, undefined, as('ann'));
      answers.push(page);
      at = page.body.nextToken;
    } while (at !== undefined);
    for (const id of sample) {
      answers.push(await world.call('GET', `/export-tasks/${id}`, undefined, as('ann')));
      answers.push(await world.call('POST', `/export-tasks/${id}/cancel`, {}, as('ann')));
    }

    expect(answers).toHaveLength(20 + 2 * sample.length);
    const all = answers.map(({ text }) => text).join() + JSON.stringify(world.log);
    expect(all).not.toMatch(/canary|\/theirs/);
    expect(world.calls('CancelExportTask')).toEqual([]);
  });
});

test('a cancel makes one call to AWS when authentication is off', async () => {
  await using world = await openWorld({ emulator });
  const { body } = await world.call('POST', '/export-tasks', createBody);
  world.emulator.journal.clear();

  await world.call('POST', `/export-tasks/${body.taskId}/cancel`, {});

  const calls = world.emulator.journal.entries().map(({ operation }) => operation);
  expect(calls).toEqual(['CancelExportTask', 'DescribeExportTasks']);
});
