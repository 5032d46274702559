import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';

import { makeRandom } from '../../random.ts';
import { openLogs } from '../open-logs.ts';
import { answerText, type Ending, openClosingAws } from './closing-aws.ts';

// The long form: TRIALS=1000 npx vitest run test/aws/creates/connection-reuse.test.ts
const trials = Number(process.env.TRIALS ?? 200);
const order = { logGroupName: '/app', from: 0n, to: 1n, destination: 'archive' };
const endings: Ending[] = ['FIN', 'RST', 'close_notify'];

/** Lets the event loop turn a few times. */
async function turn(times: number): Promise<void> {
  for (let left = times; left > 0; left -= 1) await new Promise(setImmediate);
}

/** Counts equal values. */
function count(values: Iterable<unknown>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}

describe.each(endings)('when AWS closes a connection with %s', (ending) => {
  test('before the write, a create is sent once, on another connection', async () => {
    const random = makeRandom(1);
    await using aws = await openClosingAws(ending);
    using logs = openLogs();
    const outcomes: string[] = [];

    for (let trial = 0; trial < trials; trial += 1) {
      const { outcome } = await logs.createExportTask({ ...order, taskName: `task ${trial}` });
      outcomes.push(outcome);
      await turn(Math.floor(random() * 4));
      aws.closeAll();
      await turn(Math.floor(random() * 2));
    }

    expect(count(outcomes)).toEqual({ accepted: trials });
    expect([aws.received.size, count(aws.received.values())]).toEqual([trials, { 1: trials }]);
    expect(aws.connections()).toBe(trials);
  });

  test('at the write, a create is sent at most once, and lost answers are unknown', async () => {
    const random = makeRandom(2);
    await using aws = await openClosingAws(ending);
    using logs = openLogs();
    const outcomes = new Map<string, string>();

    for (let trial = 0; trial < trials; trial += 1) {
      const taskName = `task ${trial}`;
      const call = logs.createExportTask({ ...order, taskName });
      await turn(Math.floor(random() * 8));
      aws.closeAll();
      outcomes.set(taskName, (await call).outcome);
    }

    const pairs = [...outcomes].map(([name, outcome]) => [outcome, aws.received.get(name) ?? 0]);
    for (const pair of new Set(pairs.map(String)))
      expect(['accepted,1', 'unknown,0', 'unknown,1', 'not-sent,0']).toContain(pair);
  });

  test.each([
    ['before its answer', (socket: Socket, close: () => void) => void (socket && close())],
    [
      'within its answer',
      (socket: Socket, close: () => void) => socket.write(answerText().slice(0, -4), close),
    ],
  ])('after the write, %s, a create is unknown and not sent again', async (_when, respond) => {
    await using aws = await openClosingAws(ending);
    using logs = openLogs();
    const answer = aws.respond;
    const outcomes: string[] = [];

    for (let trial = 0; trial < trials / 2; trial += 1) {
      aws.respond = answer;
      await logs.createExportTask({ ...order, taskName: 'opens a connection' });
      aws.respond = (socket) => void respond(socket, aws.closeAll);
      outcomes.push((await logs.createExportTask({ ...order, taskName: `task ${trial}` })).outcome);
    }

    aws.received.delete('opens a connection');
    expect(count(outcomes)).toEqual({ unknown: trials / 2 });
    expect(count(aws.received.values())).toEqual({ 1: trials / 2 });
    expect(aws.connections()).toBe(trials / 2);
  });
});

describe('creates share a connection', () => {
  test('one after the other, and have one each at the same time', async () => {
    await using aws = await openClosingAws('FIN');
    using logs = openLogs();

    for (let times = 0; times < 3; times += 1) await logs.createExportTask(order);
    const inTurn = aws.connections();
    await Promise.all([1, 2, 3].map(() => logs.createExportTask(order)));

    expect([inTurn, aws.connections()]).toEqual([1, 3]);
  });

  test('only while it was idle for less than two seconds', async () => {
    let elapsed = 0;
    await using aws = await openClosingAws('FIN');
    using logs = openLogs({ elapsed: () => elapsed });
    await logs.createExportTask(order);

    elapsed += 1_999;
    await logs.createExportTask(order);
    const before = aws.connections();
    elapsed += 2_000;
    await logs.createExportTask(order);

    expect([before, aws.connections()]).toEqual([1, 2]);
  });

  test.each([
    ['an answer with Connection: close', answerText(undefined, 'Connection: close\r\n')],
    ['an answer with a short Keep-Alive time', answerText(undefined, 'Keep-Alive: timeout=3\r\n')],
    ['an answer in HTTP/1.0', answerText().replace('HTTP/1.1', 'HTTP/1.0')],
    ['an answer with more bytes than its length', `${answerText()}x`],
    ['two answers', answerText() + answerText('{"taskId":"of another request"}')],
  ])('not after %s', async (_what, text) => {
    await using aws = await openClosingAws('FIN');
    using logs = openLogs();
    aws.respond = (socket) => void socket.write(text);

    const outcomes = [await logs.createExportTask(order), await logs.createExportTask(order)];

    expect(outcomes).toMatchObject(Array(2).fill({ outcome: 'accepted', taskId: 'of-the-test' }));
    expect(aws.connections()).toBe(2);
  });

  test('not after bytes that nobody asked for', async () => {
    await using aws = await openClosingAws('FIN');
    using logs = openLogs();
    let socket: Socket | undefined;
    const answer = aws.respond;
    aws.respond = (used) => {
      socket = used;
      answer(used);
    };
    await logs.createExportTask(order);

    socket?.write(answerText('{"taskId":"of another request"}'));
    const next = await logs.createExportTask(order);

    expect(next).toMatchObject({ outcome: 'accepted', taskId: 'of-the-test' });
    expect(aws.connections()).toBe(2);
  });

  test('that was opened for a create that may no longer be sent', async () => {
    await using aws = await openClosingAws('FIN');
    using logs = openLogs();

    const stopped = await logs.createExportTask(order, { maySend: () => false });
    const sent = await logs.createExportTask(order);

    expect([stopped.outcome, sent.outcome]).toEqual(['not-sent', 'accepted']);
    expect([[...aws.received.values()], aws.connections()]).toEqual([[1], 1]);
  });
});
