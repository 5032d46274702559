import { describe, expect, test } from 'vitest';

import { activeSpan } from '#telemetry/active-span.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { createBody, openWorld } from '../world.ts';

const requestLines = (log: Record<string, unknown>[]) =>
  log.filter((line) => line.msg === 'request');

/** Logs with the real logger, and returns the lines as text. */
function logged(write: (log: ReturnType<typeof makeLogger>) => void, basePath = ''): string {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  write(makeLogger('info', destination, basePath));
  return lines.join('');
}

describe('the log', () => {
  test('has the ids of the active span in each line, and none without a span', () => {
    const ids = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
    const within = { ...ids, traceFlags: 1 };

    const text = logged((log) => {
      activeSpan.run(within, () => log.warn({ target: 'default' }, 'within'));
      log.warn({ target: 'default' }, 'outside');
    });

    const [line, outside] = text
      .split('\n')
      .slice(0, 2)
      .map((each) => JSON.parse(each));
    expect(line).toMatchObject({ ...ids, target: 'default', msg: 'within' });
    expect(line).not.toHaveProperty('traceFlags');
    expect(outside).not.toHaveProperty('traceId');
  });

  test('has one line per request, with the facts an operator needs', async () => {
    await using world = await openWorld();

    const created = await world.call('POST', '/export-tasks?target=default', createBody);

    expect(requestLines(world.log)).toEqual([
      expect.objectContaining({
        requestId: created.headers.get('x-request-id'),
        method: 'POST',
        route: '/export-tasks',
        status: 201,
        durationMs: expect.any(Number),
        principal: 'anonymous',
        awsRequestId: world.creates()[0]?.requestId,
      }),
    ]);
  });

  test('has the problem, and the error code and request id of AWS', async () => {
    await using world = await openWorld();

    const answer = await world.call('POST', '/export-tasks', {
      ...createBody,
      logGroupName: '/none',
    });

    expect(requestLines(world.log)).toEqual([
      expect.objectContaining({
        status: 404,
        problem: 'log-group-not-found',
        awsErrorCode: 'ResourceNotFoundException',
        awsRequestId: answer.body.awsRequestId,
      }),
    ]);
    expect(answer.body.instance).toBe(`urn:uuid:${answer.headers.get('x-request-id')}`);
  });

  test('has a line for a caller that leaves before the answer', async () => {
    await using world = await openWorld();
    world.emulator.faults.add({ operation: 'DescribeExportTasks', kind: 'silence-before' });
    const leave = new AbortController();

    const answer = fetch(`${world.url}/export-tasks`, { signal: leave.signal });
    await world.waitFor(() => world.emulator.faults.pending().length === 0);
    leave.abort();
    await expect(answer).rejects.toThrow('aborted');
    await world.waitFor(() => requestLines(world.log).length > 0);

    expect(requestLines(world.log)).toEqual([
      expect.objectContaining({ route: '/export-tasks', isAborted: true }),
    ]);
  });

  test('has the request id of the caller besides ours, cut to 256 characters', async () => {
    await using world = await openWorld();

    const answer = await world.call('GET', '/targets', undefined, {
      'x-request-id': 'c'.repeat(300),
    });

    const [line] = requestLines(world.log);
    expect(line?.callerRequestId).toBe('c'.repeat(256));
    expect(line?.requestId).toBe(answer.headers.get('x-request-id'));
  });

  test('has the route instead of the path, which may contain personal data', async () => {
    await using world = await openWorld();

    await world.call('GET', '/export-tasks/secret-id?target=default');

    expect(requestLines(world.log)[0]?.route).toBe('/export-tasks/:taskId');
    expect(JSON.stringify(requestLines(world.log))).not.toContain('secret-id');
  });

  test('has the cause of a 5xx and the cause of that cause', async () => {
    await using world = await openWorld();
    await world.emulator.close();

    await world.call('GET', '/export-tasks');

    const [line] = requestLines(world.log);
    expect(line).toMatchObject({ level: 'error', problem: 'aws-unavailable' });
    expect(JSON.stringify(line?.err)).toContain('ECONNREFUSED');
  });

  test('links a line about a problem to its page, below the base path', () => {
    const write = (log: ReturnType<typeof makeLogger>) =>
      log.warn({ problem: 'aws-unavailable', token: 'hidden' }, 'AWS is away');

    expect(JSON.parse(logged(write))).toMatchObject({
      problem: 'aws-unavailable',
      help: '/problems/aws-unavailable',
      token: '[redacted]',
    });
    expect(JSON.parse(logged(write, '/gateway')).help).toBe('/gateway/problems/aws-unavailable');
    expect(logged((log) => log.info({}, 'ready'))).not.toContain('help');
  });

  test('never contains secrets, in any member', () => {
    const keys = { accessKeyId: 'AKIASECRET', secretAccessKey: 'hidden', sessionToken: 'hidden' };

    const text = logged((log) => {
      log.info(keys);
      log.info({ credentials: keys, headers: { authorization: 'hidden' } });
      log.info({
        err: {
          request: { headers: { authorization: 'hidden' } },
          Credentials: { SessionToken: 'hidden' },
        },
      });
      log.error({ err: Object.assign(new Error('failed'), { credentials: keys }) });
    });

    expect(text).not.toMatch(/hidden|AKIASECRET/);
    expect(text.trim().split('\n')).toHaveLength(4);
  });

  test('has one line per event for any request', () => {
    const text = logged((log) => log.info({ callerRequestId: 'a\nb\u2028c\u001b[31m' }, 'request'));

    expect(text.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(text)).toMatchObject({ level: 'info', msg: 'request' });
  });
});

describe('health', () => {
  test('does not call AWS', async () => {
    await using world = await openWorld();
    await world.emulator.close();

    const live = await world.call('GET', '/health/live');
    const ready = await world.call('GET', '/health/ready');

    expect([live.body, ready.body]).toEqual([{ status: 'live' }, { status: 'ready' }]);
  });

  test('logs a successful probe at debug, and "not ready" at info', async () => {
    await using world = await openWorld();

    await world.call('GET', '/health/live');
    await world.call('HEAD', '/health/live');
    await world.call('GET', '/health/ready');
    world.setStopping();
    await world.call('GET', '/health/ready');

    expect(requestLines(world.log).map(({ level, status }) => [level, status])).toEqual([
      ['debug', 200],
      ['debug', 200],
      ['debug', 200],
      ['info', 503],
    ]);
  });

  test('is alive but not ready while the service is stopping', async () => {
    await using world = await openWorld();

    world.setStopping();
    const ready = await world.call('GET', '/health/ready');
    const live = await world.call('GET', '/health/live');

    expect(ready.status).toBe(503);
    expect(ready.body).toMatchObject({
      type: '/problems/not-ready',
      detail: 'The service is stopping.',
    });
    expect(ready.headers.get('retry-after')).toBe('2');
    expect(live.status).toBe(200);
  });
});
