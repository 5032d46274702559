import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../src/emulator.ts';
import { arrival, openBench, refusal, sendLogs } from './bench.ts';

const onCreate = { operation: 'CreateExportTask' } as const;

/** One CreateExportTask that meets a fault: what the caller saw and what really happened. */
async function createUnder(fault: Fault, options: Parameters<typeof openBench>[0] = {}) {
  await using bench = await openBench(options);
  bench.emulator.faults.add(fault);
  const seen = await refusal(bench.create());
  const [entry] = bench.emulator.journal.entries();
  return { seen, tasks: bench.emulator.exportTasks().length, entry };
}

describe('a connection', () => {
  it.each([
    ['reset-before', 0],
    ['reset-after', 1],
  ] as const)('meets %s with %i tasks made', async (kind, made) => {
    const { seen, tasks, entry } = await createUnder({ ...onCreate, kind });

    expect(seen?.message).toMatch(/ECONNRESET|socket hang up|aborted/);
    expect(seen?.status).toBeUndefined();
    expect(tasks).toBe(made);
    expect(entry).toMatchObject({ status: 'reset', fault: { kind } });
    expect(entry?.effect?.kind).toBe(made === 1 ? 'task-created' : undefined);
  });

  it.each([
    ['silence-before', 0],
    ['silence-after', 1],
  ] as const)('meets %s until the client gives up, with %i tasks made', async (kind, made) => {
    await using bench = await openBench();
    bench.emulator.faults.add({ ...onCreate, kind });
    const giveUp = new AbortController();
    const json = JSON.stringify(bench.order);
    const silent = fetch(bench.emulator.url, {
      method: 'POST',
      body: json,
      signal: giveUp.signal,
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/logs/aws4_request,',
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'Logs_20140328.CreateExportTask',
      },
    });

    await arrival(bench.emulator);
    giveUp.abort();

    await expect(silent).rejects.toThrow('aborted');
    expect(bench.emulator.exportTasks()).toHaveLength(made);
    const entries = bench.emulator.journal.entries();
    const entry = entries.find(({ operation }) => operation === 'CreateExportTask');
    expect(entry).toMatchObject({ status: 'silence', fault: { kind } });
  });

  it('is held in silence no longer than the emulator lives', async () => {
    const bench = await openBench();
    bench.emulator.faults.add({ operation: '*', kind: 'silence-before' });
    const silent = refusal(bench.describe('any'));

    await arrival(bench.emulator);
    await bench[Symbol.asyncDispose]();

    expect((await silent)?.status).toBeUndefined();
  });

  it('breaks off after half of the announced body', async () => {
    const { seen, tasks } = await createUnder({ ...onCreate, kind: 'cut-body' });

    expect(seen?.message).toContain('aborted');
    expect(tasks).toBe(1);
  });
});

describe('an answer', () => {
  it.each([
    ['ServiceUnavailableException', undefined, 500],
    ['InternalFailure', undefined, 500],
    ['ThrottlingException', undefined, 400],
    ['ExpiredTokenException', undefined, 400],
    ['OperationAbortedException', 409, 409],
  ])('is %s with status %s given: %i', async (code, given, status) => {
    const error = { code, message: 'So it goes', ...(given && { status: given }) };

    const { seen, tasks, entry } = await createUnder({ ...onCreate, kind: 'error', ...error });

    expect(seen).toEqual({ name: code, message: 'So it goes', status });
    expect(tasks).toBe(0);
    expect(entry).toMatchObject({ status, errorCode: code });
  });

  it('is an error although it happened', async () => {
    const fault = { ...onCreate, kind: 'error', status: 503, afterEffect: true } as const;

    const { seen, tasks, entry } = await createUnder(fault);

    expect(seen).toMatchObject({ name: 'InternalFailure', status: 503 });
    expect(tasks).toBe(1);
    expect(entry).toMatchObject({ status: 503, effect: { kind: 'task-created' } });
  });

  it('is unavailable with 503 when told so', async () => {
    const fault = { ...onCreate, kind: 'error', code: 'ServiceUnavailableException' } as const;

    const { seen } = await createUnder(fault, { serviceUnavailableStatus: 503 });

    expect(seen?.status).toBe(503);
  });

  it('is what a proxy in between would say', async () => {
    const headers = { 'content-type': 'text/html' };
    const rawBody = '<html>Forbidden</html>';

    const { seen } = await createUnder({
      ...onCreate,
      kind: 'error',
      status: 403,
      headers,
      rawBody,
    });

    expect(seen).toMatchObject({ name: 'SyntaxError', status: 403 });
  });

  it('is 200 with another body', async () => {
    await using bench = await openBench({ activeTaskLimit: Infinity });
    const { faults, url } = bench.emulator;
    const json = JSON.stringify(bench.order);
    const bodies = ['', '{}', '<html></html>'];
    for (const body of bodies) faults.add({ ...onCreate, kind: 'replace-body', body });
    faults.add({ ...onCreate, kind: 'replace-body', body: '?', contentType: 'text/html' });

    for (const text of bodies) {
      expect(await sendLogs(url, 'CreateExportTask', json)).toMatchObject({ status: 200, text });
    }
    const { headers } = await sendLogs(url, 'CreateExportTask', json);

    expect(headers.get('content-type')).toBe('text/html');
    expect(bench.emulator.exportTasks()).toHaveLength(4);
  });

  it('is refused in XML by STS and S3', async () => {
    await using bench = await openBench();
    const { faults } = bench.emulator;
    faults.add({ operation: 'GetCallerIdentity', kind: 'error', code: 'Busy', status: 503 });
    faults.add({ operation: 'CreateBucket', kind: 'error', code: 'SlowDown', status: 503 });

    const identity = bench.sts.send(new GetCallerIdentityCommand({}));
    const creation = bench.s3.send(new CreateBucketCommand({ Bucket: 'new-one' }));

    expect(await refusal(identity)).toMatchObject({ name: 'Busy', status: 503 });
    expect(await refusal(creation)).toMatchObject({ name: 'SlowDown', status: 503 });
  });

  it('comes late in real time', async () => {
    const before = performance.now();

    const { seen } = await createUnder({ ...onCreate, kind: 'delay', ms: 20 });

    expect(seen).toBeUndefined();
    expect(performance.now() - before).toBeGreaterThan(19);
  });
});

describe('faults', () => {
  it('hit the operations they are for, after those they skip, as often as they count', async () => {
    await using bench = await openBench();
    const { faults } = bench.emulator;
    faults.add({ operation: 'DescribeExportTasks', kind: 'error', code: 'A', skip: 1, count: 2 });
    faults.add({ operation: '*', kind: 'error', code: 'B' });

    const seen = [];
    for (let call = 0; call < 5; call += 1) seen.push((await refusal(bench.describe('x')))?.name);

    expect(seen).toEqual(['B', 'A', 'A', undefined, undefined]);
  });

  it('are pending until they are played or cleared', async () => {
    await using bench = await openBench();
    const { faults } = bench.emulator;
    faults.add({ ...onCreate, kind: 'reset-before', count: 3 });
    await refusal(bench.create());

    expect(faults.pending()).toEqual([{ ...onCreate, kind: 'reset-before', count: 2, skip: 0 }]);
    faults.clear();
    expect(faults.pending()).toEqual([]);
    expect(await refusal(bench.create())).toBeUndefined();
  });

  it('have to be known', async () => {
    await using bench = await openBench();
    const { faults } = bench.emulator;

    expect(() => faults.add({ ...onCreate, kind: 'earthquake' } as never)).toThrow('earthquake');
    expect(() => faults.add({ kind: 'reset-before' } as never)).toThrow('operation');
  });
});
