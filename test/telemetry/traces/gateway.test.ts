import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { readConfig } from '#config/read-config.ts';
import { attemptCalls } from '#diagnostics/exports.ts';
import { requestStarts } from '#diagnostics/http-requests.ts';
import { openGateway } from '#open-gateway.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { temporaryDir } from '../../database/homes.ts';
import { jobBody } from '../../export-jobs/accepted-jobs.ts';
import { readIdleLoop } from '../../read-idle-loop.ts';
import { type LogLine, openWorld, region } from '../../world.ts';
import { openReceiver, type ReceivedSpan } from './receiver.ts';

readIdleLoop();

/** Opens the gateway like main, with the emulator of a world, on a free port. */
async function openTraced(env: NodeJS.ProcessEnv = {}) {
  const log: LogLine[] = [];
  const given = { AWS_REGION: region, PORT: '0', AUDIT_LOG: join(temporaryDir(), 'audit.jsonl') };
  const gateway = await openGateway({
    config: readConfig({ DATA_DIR: temporaryDir(), ...given, ...env }, () => ''),
    log: makeLogger('info', { write: (line: string) => void log.push(JSON.parse(line)) }),
    lameDuckMs: 0,
  });
  await gateway.ready;
  return {
    ...gateway,
    log,
    async createJob(body: object, headers: Record<string, string> = {}) {
      const answer = await fetch(`${gateway.url}/export-jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(202);
      return `${gateway.url}${answer.headers.get('location')}`;
    },
  };
}

const named = (spans: ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);

describe('the traces of a gateway', () => {
  test('link each attempt of a job to its request, and have nothing secret or personal', async () => {
    await using world = await openWorld({ emulator: { pendingMs: 0, runningMs: 10 } });
    await using receiver = await openReceiver();
    const personal = ['/canary-group', 'canary-bucket', 'canary-prefix', 'canary-of-a-caller'];
    for (const each of personal) world.canaries.plant(each, each);
    const [logGroupName = '', destination = '', destinationPrefix, credential = ''] = personal;
    world.emulator.seed.logGroup({ region, logGroupName });
    world.emulator.seed.bucket({ region, bucket: destination });
    const gateway = await openTraced({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });

    const job = await gateway.createJob(
      {
        ...jobBody,
        sliceBy: 'none',
        logGroupNames: [logGroupName],
        destination,
        destinationPrefix,
      },
      { authorization: `Bearer ${credential}`, 'x-request-id': credential },
    );
    const state = async () => ((await (await fetch(job)).json()) as { state: string }).state;
    await expect.poll(state).toBe('completed');
    const names = () => receiver.spans.map(({ name }) => name);
    const wanted = [
      'POST /export-jobs',
      'GET /export-jobs/:jobId',
      'export slice attempt',
      'CloudWatchLogs/CreateExportTask',
    ];
    await expect.poll(names).toEqual(expect.arrayContaining(wanted));
    await gateway.close();

    const [request] = named(receiver.spans, 'POST /export-jobs');
    const [attempt] = named(receiver.spans, 'export slice attempt');
    const [create] = named(receiver.spans, 'CloudWatchLogs/CreateExportTask');
    const { traceId, spanId } = request ?? {};
    expect(attempt).toMatchObject({ links: [{ traceId, spanId }], isError: false });
    expect(create).toMatchObject({ traceId: attempt?.traceId, parentSpanId: attempt?.spanId });
    expect(create?.attributes['aws.request_id']).toBe(world.creates()[0]?.requestId);
    // Neither polls nor the check of the account belong to a request that happened to wake them.
    expect(new Set(names())).toEqual(new Set(wanted));
    const bodies = receiver.requests.map(({ body }) => body);
    expect(world.canaries.hits({ answers: bodies, log: [], audit: [] })).toEqual([]);
  });

  test.each([
    ['without a receiver', {}],
    [
      'with OTEL_SDK_DISABLED',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' },
    ],
  ])('do not exist %s: nobody listens, and the log has no ids', async (_what, env) => {
    await using _world = await openWorld();

    const gateway = await openTraced(env);
    const listening = [requestStarts, attemptCalls].map((channel) => channel.hasSubscribers);
    await gateway.createJob(jobBody);
    await gateway.close();

    expect(listening).toEqual([false, false]);
    expect(gateway.log.find(({ msg }) => msg === 'request')).not.toHaveProperty('traceId');
  });

  test('do not delay the close for longer than a second when the receiver is silent', async () => {
    await using _world = await openWorld();
    await using receiver = await openReceiver();
    receiver.answer = () => {};
    const gateway = await openTraced({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    await gateway.createJob(jobBody);

    await gateway.close();

    expect(gateway.log).toContainEqual(
      expect.objectContaining({ msg: expect.stringMatching(/^did not close/), what: 'traces' }),
    );
  });
});
