import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import { arrival, createUnder, onCreate, openAws, refusal, sendLogs } from './aws.ts';

describe('a fault of the connection', () => {
  it.each([
    ['reset-before', 0],
    ['reset-after', 1],
  ] as const)('%s resets the connection and creates %i tasks', async (kind, made) => {
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
  ] as const)('%s sends no answer and creates %i tasks', async (kind, made) => {
    await using aws = await openAws();
    aws.emulator.faults.add({ ...onCreate, kind });
    const giveUp = new AbortController();
    const json = JSON.stringify(aws.order);
    const silent = fetch(aws.emulator.url, {
      method: 'POST',
      body: json,
      signal: giveUp.signal,
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/logs/aws4_request,',
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'Logs_20140328.CreateExportTask',
      },
    });

    await arrival(aws.emulator);
    giveUp.abort();

    await expect(silent).rejects.toThrow('aborted');
    expect(aws.emulator.exportTasks()).toHaveLength(made);
    const entries = aws.emulator.journal.entries();
    const entry = entries.find(({ operation }) => operation === 'CreateExportTask');
    expect(entry).toMatchObject({ status: 'silence', fault: { kind } });
  });

  it('ends when the emulator closes', async () => {
    const aws = await openAws();
    aws.emulator.faults.add({ operation: '*', kind: 'silence-before' });
    const silent = refusal(aws.describe('any'));

    await arrival(aws.emulator);
    await aws[Symbol.asyncDispose]();

    expect((await silent)?.status).toBeUndefined();
  });

  it('cut-body closes the connection after half of the body', async () => {
    const { seen, tasks } = await createUnder({ ...onCreate, kind: 'cut-body' });

    expect(seen?.message).toContain('aborted');
    expect(tasks).toBe(1);
  });
});

describe('a fault of the answer', () => {
  it.each([
    ['ServiceUnavailableException', undefined, 500],
    ['InternalFailure', undefined, 500],
    ['ThrottlingException', undefined, 400],
    ['ExpiredTokenException', undefined, 400],
    ['OperationAbortedException', 409, 409],
  ])('sends %s with `status` %s as HTTP %i', async (code, given, status) => {
    const error = { code, message: 'So it goes', ...(given && { status: given }) };

    const { seen, tasks, entry } = await createUnder({ ...onCreate, kind: 'error', ...error });

    expect(seen).toEqual({ name: code, message: 'So it goes', status });
    expect(tasks).toBe(0);
    expect(entry).toMatchObject({ status, errorCode: code });
  });

  it('sends an error after the effect', async () => {
    const fault = { ...onCreate, kind: 'error', status: 503, afterEffect: true } as const;

    const { seen, tasks, entry } = await createUnder(fault);

    expect(seen).toMatchObject({ name: 'InternalFailure', status: 503 });
    expect(tasks).toBe(1);
    expect(entry).toMatchObject({ status: 503, effect: { kind: 'task-created' } });
  });

  it('sends 503 for ServiceUnavailableException with serviceUnavailableStatus', async () => {
    const fault = { ...onCreate, kind: 'error', code: 'ServiceUnavailableException' } as const;

    const { seen } = await createUnder(fault, { serviceUnavailableStatus: 503 });

    expect(seen?.status).toBe(503);
  });

  it('sends the answer of a proxy', async () => {
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

  it('sends 200 with another body', async () => {
    await using aws = await openAws({ activeTaskLimit: Infinity });
    const { faults, url } = aws.emulator;
    const json = JSON.stringify(aws.order);
    const bodies = ['', '{}', '<html></html>'];
    for (const body of bodies) faults.add({ ...onCreate, kind: 'replace-body', body });
    faults.add({ ...onCreate, kind: 'replace-body', body: '?', contentType: 'text/html' });

    for (const text of bodies) {
      expect(await sendLogs(url, 'CreateExportTask', json)).toMatchObject({ status: 200, text });
    }
    const { headers } = await sendLogs(url, 'CreateExportTask', json);

    expect(headers.get('content-type')).toBe('text/html');
    expect(aws.emulator.exportTasks()).toHaveLength(4);
  });

  it('sends errors of STS and S3 in XML', async () => {
    await using aws = await openAws();
    const { faults } = aws.emulator;
    faults.add({ operation: 'GetCallerIdentity', kind: 'error', code: 'Busy', status: 503 });
    faults.add({ operation: 'CreateBucket', kind: 'error', code: 'SlowDown', status: 503 });

    const identity = aws.sts.send(new GetCallerIdentityCommand({}));
    const creation = aws.s3.send(new CreateBucketCommand({ Bucket: 'new-one' }));

    expect(await refusal(identity)).toMatchObject({ name: 'Busy', status: 503 });
    expect(await refusal(creation)).toMatchObject({ name: 'SlowDown', status: 503 });
  });

  it('delays the answer in real time', async () => {
    const before = performance.now();

    const { seen } = await createUnder({ ...onCreate, kind: 'delay', ms: 20 });

    expect(seen).toBeUndefined();
    expect(performance.now() - before).toBeGreaterThan(19);
  });
});

describe('faults', () => {
  it('apply to their operation only, after `skip` and up to `count` requests', async () => {
    await using aws = await openAws();
    const { faults } = aws.emulator;
    faults.add({ operation: 'DescribeExportTasks', kind: 'error', code: 'A', skip: 1, count: 2 });
    faults.add({ operation: '*', kind: 'error', code: 'B' });

    const seen = [];
    for (let call = 0; call < 5; call += 1) seen.push((await refusal(aws.describe('x')))?.name);

    expect(seen).toEqual(['B', 'A', 'A', undefined, undefined]);
  });

  it('apply to one account only: that of the caller, or of the role to assume', async () => {
    await using aws = await openAws({ accountsByAccessKey: { AKIAOTHER: '210987654321' } });
    const other = aws.stsFor({ accessKeyId: 'AKIAOTHER', secretAccessKey: 'secret' });
    const fault = { operation: '*', kind: 'error', code: 'A', count: 10 } as const;
    aws.emulator.faults.add({ ...fault, accountId: '210987654321' });
    const assume = (accountId: string) =>
      aws.sts.send(
        new AssumeRoleCommand({
          RoleArn: `arn:aws:iam::${accountId}:role/exporter`,
          RoleSessionName: 'nightly',
        }),
      );

    expect(await refusal(aws.sts.send(new GetCallerIdentityCommand({})))).toBeUndefined();
    expect(await refusal(other.send(new GetCallerIdentityCommand({})))).toMatchObject({
      name: 'A',
    });
    expect(await refusal(assume('111122223333'))).toBeUndefined();
    expect(await refusal(assume('210987654321'))).toMatchObject({ name: 'A' });
  });

  it('are pending until they are used or removed', async () => {
    await using aws = await openAws();
    const { faults } = aws.emulator;
    faults.add({ ...onCreate, kind: 'reset-before', count: 3 });
    await refusal(aws.create());

    expect(faults.pending()).toEqual([{ ...onCreate, kind: 'reset-before', count: 2, skip: 0 }]);
    faults.clear();
    expect(faults.pending()).toEqual([]);
    expect(await refusal(aws.create())).toBeUndefined();
  });

  it('of an unknown kind or without an operation are rejected', async () => {
    await using aws = await openAws();
    const { faults } = aws.emulator;

    expect(() => faults.add({ ...onCreate, kind: 'earthquake' } as never)).toThrow('earthquake');
    expect(() => faults.add({ kind: 'reset-before' } as never)).toThrow('operation');
  });

  it.each([
    [{ kind: 'delay' }, 'A fault of the kind delay needs ms: a number of milliseconds, 0 or more.'],
    [{ kind: 'replace-body' }, 'needs body: text'],
    [{ kind: 'delay', ms: '5' }, 'ms of a fault is "5", but must be a number of milliseconds'],
    [{ kind: 'error', status: 99 }, 'status of a fault is 99, but must be an HTTP status'],
    [{ kind: 'error', headers: { a: 1 } }, 'headers of a fault is {"a":1}, but must be texts'],
    [{ kind: 'late-effect', delayMs: 1, meanwhile: 'x' }, 'but must be one of reset, silence'],
    [{ kind: 'reset-after', count: 0 }, 'count of a fault is 0, but must be a whole number, 1 or'],
    [{ kind: 'reset-after', skip: -1 }, 'skip of a fault is -1, but must be a whole number, 0 or'],
    [{ kind: 'reset-after', times: 2 }, 'A fault of the kind reset-after has no member "times"'],
  ])('that are %j are rejected', async (fault, message) => {
    await using aws = await openAws();

    expect(() => aws.emulator.faults.add({ ...onCreate, ...fault } as never)).toThrow(message);
    expect(aws.emulator.faults.pending()).toEqual([]);
  });
});
