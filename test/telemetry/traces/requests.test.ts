import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';

import { createBody, openWorld, type World } from '../../world.ts';
import { spansDuring } from './recorded-spans.ts';

const caller = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
};
const sampled = { traceparent: `00-${caller.traceId}-${caller.spanId}-01` };

/** The spans of one create, and the line of its request in the log. */
async function spansOfCreate(headers?: Record<string, string>, world?: World) {
  await using own = world ? undefined : await openWorld();
  const used = world ?? own;
  if (!used) throw new Error('no world');
  const spans = await spansDuring(() => used.call('POST', '/export-tasks', createBody, headers));
  const line = used.log.find(({ msg }) => msg === 'request');
  const [server, ...others] = spans.filter(({ kind }) => kind === 'server');
  expect(others).toEqual([]);
  return { spans, server, line, used };
}

describe('the span of a request', () => {
  test('has its method, route and status, and is the parent of its calls to AWS', async () => {
    await using world = await openWorld();

    const { spans, server } = await spansOfCreate({}, world);

    expect(server).toMatchObject({
      name: 'POST /export-tasks',
      parentSpanId: undefined,
      isError: false,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/export-tasks',
        'http.response.status_code': 201,
        'url.scheme': 'http',
      },
      resource: { 'service.name': 'log-export-gateway', 'service.instance.id': 'test' },
    });
    const create = spans.find(({ name }) => name === 'CloudWatchLogs/CreateExportTask');
    expect(create).toMatchObject({
      kind: 'client',
      traceId: server?.traceId,
      parentSpanId: server?.spanId,
      isError: false,
      attributes: {
        'rpc.system.name': 'aws-api',
        'rpc.method': 'CloudWatchLogs/CreateExportTask',
        'cloud.region': 'eu-west-1',
        'aws.request_id': world.creates()[0]?.requestId,
      },
    });
  });

  test('continues the trace of the caller', async () => {
    const { server } = await spansOfCreate(sampled);

    expect(server).toMatchObject({ traceId: caller.traceId, parentSpanId: caller.spanId });
  });

  test('begins a new trace if traceparent is malformed', async () => {
    const { server } = await spansOfCreate({ traceparent: 'not-a-trace' });

    expect(server?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(server?.parentSpanId).toBeUndefined();
  });

  test('is not sent if the caller does not record its trace, but the log has its ids', async () => {
    const { spans, line } = await spansOfCreate({
      traceparent: sampled.traceparent.slice(0, -1) + 0,
    });

    expect(spans).toEqual([]);
    expect(line).toMatchObject({
      traceId: caller.traceId,
      spanId: expect.stringMatching(/^.{16}$/),
    });
  });

  test('has the same ids as its line in the log', async () => {
    const { server, line } = await spansOfCreate();

    expect(line).toMatchObject({ traceId: server?.traceId, spanId: server?.spanId });
  });

  test('names the problem of an answer of 500 or above, and the error of AWS', async () => {
    await using world = await openWorld();
    const fault = {
      operation: 'CreateExportTask',
      kind: 'error',
      code: 'ServiceUnavailableException',
    };
    world.emulator.faults.add({ ...fault, status: 503 } as never);

    const { spans, server } = await spansOfCreate({}, world);

    expect(server).toMatchObject({
      isError: true,
      attributes: { 'error.type': world.log.at(-1)?.problem },
    });
    expect(spans.find(({ name }) => name === 'CloudWatchLogs/CreateExportTask')).toMatchObject({
      isError: true,
      attributes: { 'error.type': 'ServiceUnavailableException' },
    });
  });

  test('is no error for an answer of 400', async () => {
    await using world = await openWorld();

    const spans = await spansDuring(() => world.call('POST', '/export-tasks', {}));

    expect(spans).toMatchObject([
      { isError: false, attributes: { 'http.response.status_code': 400 } },
    ]);
    expect(spans[0]?.attributes).not.toHaveProperty('error.type');
  });

  test('has no part of the path, the query, the body or the headers', async () => {
    await using world = await openWorld();
    const secrets = {
      task: 'task-of-a-person',
      query: 'query-of-a-person',
      key: 'key-of-a-person',
    };

    const spans = await spansDuring(async () => {
      await world.call('GET', `/export-tasks/${secrets.task}?target=${secrets.query}`);
      await world.call('GET', `/unknown/${secrets.task}`);
      await world.call('PROPFIND', '/export-tasks');
      await world.call(
        'POST',
        '/export-tasks',
        { ...createBody, logGroupName: secrets.query },
        {
          authorization: `Bearer ${secrets.key}`,
        },
      );
    });

    expect(spans.filter(({ kind }) => kind === 'server').map(({ name }) => name)).toEqual([
      'GET /export-tasks/:taskId',
      'GET',
      '_OTHER',
      'POST /export-tasks',
    ]);
    for (const secret of Object.values(secrets))
      expect(JSON.stringify(spans)).not.toContain(secret);
  });

  test('is not made for probes', async () => {
    await using world = await openWorld();

    expect(await spansDuring(() => world.call('GET', '/health/live', undefined, sampled))).toEqual(
      [],
    );
  });

  test('is not mixed up with that of a concurrent request', async () => {
    await using world = await openWorld();
    const traces = Array.from({ length: 20 }, (_, index) => `${index + 10}`.repeat(16));

    const spans = await spansDuring(() =>
      Promise.all(
        traces.map((traceId) =>
          world.call('GET', `/export-tasks/${traceId}`, undefined, {
            traceparent: `00-${traceId}-${caller.spanId}-01`,
          }),
        ),
      ),
    );

    const byTrace = Map.groupBy(spans, ({ traceId }) => traceId);
    expect([...byTrace.keys()].sort()).toEqual(traces);
    for (const [, found] of byTrace) {
      const server = found.find(({ kind }) => kind === 'server');
      const client = found.find(({ kind }) => kind === 'client');
      expect(client?.parentSpanId).toBe(server?.spanId);
    }
  });
});

describe('calls to AWS', () => {
  test('have the context of their span in a header that is not signed', async () => {
    await using world = await openWorld();
    const sent: IncomingHttpHeaders[] = [];
    const note = (message: unknown) =>
      void sent.push((message as { request: IncomingMessage }).request.headers);
    subscribe('http.server.request.start', note);

    const spans = await spansDuring(async () => {
      await world.call('POST', '/export-tasks', createBody);
      await world.call('GET', '/export-tasks');
    });
    unsubscribe('http.server.request.start', note);

    const toAws = sent.filter(({ authorization }) => authorization?.startsWith('AWS4-'));
    const clients = spans.filter(({ kind }) => kind === 'client');
    expect(clients.length).toBeGreaterThan(1);
    expect(toAws.map(({ traceparent }) => traceparent)).toEqual(
      clients.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`),
    );
    for (const { authorization } of toAws) expect(authorization).not.toContain('traceparent');
  });

  test('have no span outside of a request', async () => {
    await using world = await openWorld();

    expect(
      await spansDuring(() => world.targets.find(undefined).logs.describeExportTasks({})),
    ).toEqual([]);
  });
});
