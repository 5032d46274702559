import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openBench, refused, sendLogs, sendRaw, startAt } from '../bench.ts';

const bare = (type: string) => ({ status: 400, text: `{"__type":"${type}"}` });

async function describeTasks(json: string) {
  await using bench = await openBench();
  return await sendLogs(bench.emulator.url, 'DescribeExportTasks', json);
}

describe('awsJson1_1', () => {
  it('answers with its content type, a request id and the date of its own clock', async () => {
    await using bench = await openBench();

    const { headers } = await sendLogs(bench.emulator.url, 'DescribeExportTasks', '{}');

    expect(headers.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get('x-amz-request-id')).toBeNull();
    expect(headers.get('date')).toBe(new Date(startAt).toUTCString());
  });

  it.each(['', '{', '[', '"text"', 'null', '{"limit":1}}'])(
    'answers a bare SerializationException to the body %j',
    async (body) => {
      expect(await describeTasks(body)).toMatchObject(bare('SerializationException'));
    },
  );

  it.each([
    'Logs_20140328.Nothing',
    'Logs_20140328.constructor',
    'DescribeExportTasks',
    'Other_1.DescribeExportTasks',
  ])('answers a bare UnknownOperationException to the target %s', async (target) => {
    await using bench = await openBench();
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };

    expect(await sendRaw(bench.emulator.url, '{}', { headers })).toMatchObject(
      bare('UnknownOperationException'),
    );
  });

  it.each(['application/x-amz-json-1.0', 'application/json', 'text/plain'])(
    'answers 404 in XML to the content type %s',
    async (contentType) => {
      await using bench = await openBench();
      const target = 'Logs_20140328.DescribeExportTasks';
      const headers = { 'content-type': contentType, 'x-amz-target': target };

      const answer = await sendRaw(bench.emulator.url, '{}', { headers });

      expect(answer.status).toBe(404);
      expect(answer.text).toContain('<UnknownOperationException');
    },
  );

  it('answers 400 to a request without signature', async () => {
    await using bench = await openBench();
    const headers = {
      authorization: '',
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Logs_20140328.DescribeExportTasks',
    };

    const { status, text } = await sendRaw(bench.emulator.url, '{}', { headers });

    expect({ status, text }).toMatchObject(
      refused('MissingAuthenticationTokenException', 'Missing Authentication Token'),
    );
  });

  it('reads a body that comes after 100-continue, and forgets one that is cut off', async () => {
    await using bench = await openBench();
    const head = [
      'POST / HTTP/1.1',
      'Host: x',
      'Content-Type: application/x-amz-json-1.1',
      'X-Amz-Target: Logs_20140328.DescribeExportTasks',
      'Authorization: AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0',
      'Content-Length: 2',
    ];
    const cut = connect(bench.emulator.port, '127.0.0.1');
    cut.end([...head, '', '{'].join('\r\n'));
    await new Promise((resolve) => cut.on('close', resolve).resume());

    const socket = connect(bench.emulator.port, '127.0.0.1');
    socket.write([...head, 'Expect: 100-continue', 'Connection: close', '', ''].join('\r\n'));
    let received = '';
    for await (const chunk of socket) {
      if (received === '') socket.write('{}');
      received += chunk;
    }

    expect(received).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
    expect(received).toContain('{"exportTasks":[]}');
    expect(bench.emulator.journal.entries()).toHaveLength(1);
  });
});

describe('types are checked before constraints', () => {
  it.each([
    ['{"limit":"5"}', 'STRING_VALUE can not be converted to an Integer'],
    ['{"limit":true}', 'TRUE_VALUE can not be converted to an Integer'],
    ['{"limit":false}', 'FALSE_VALUE can not be converted to an Integer'],
    ['{"limit":[1]}', 'Start of list found where not expected'],
    ['{"limit":{}}', 'Start of structure or map found where not expected.'],
    ['{"limit":2147483648}', 'NUMBER_VALUE can not be converted to an Integer'],
    ['{"taskId":7}', 'NUMBER_VALUE can not be converted to a String'],
    ['{"taskId":true}', 'TRUE_VALUE can not be converted to a String'],
    ['{"taskId":"","limit":"5"}', 'STRING_VALUE can not be converted to an Integer'],
    ['[]', 'Start of list found where not expected'],
  ])('%s', async (json, message) => {
    expect(await describeTasks(json)).toMatchObject(refused('SerializationException', message));
  });

  it.each([
    ['"1"', 'STRING_VALUE can not be converted to a Long'],
    ['1e21', 'NUMBER_VALUE can not be converted to a Long'],
    ['9223372036854775808', 'NUMBER_VALUE can not be converted to a Long'],
    ['-9223372036854775809', 'NUMBER_VALUE can not be converted to a Long'],
  ])('from: %s', async (from, message) => {
    await using bench = await openBench();
    const json = JSON.stringify({ ...bench.order, from: 0 }).replace('"from":0', `"from":${from}`);

    expect(await sendLogs(bench.emulator.url, 'CreateExportTask', json)).toMatchObject(
      refused('SerializationException', message),
    );
  });

  it('truncates a fraction where an integer is wanted', async () => {
    await using bench = await openBench();
    const json = JSON.stringify({ ...bench.order, from: 1.5, to: 2.9 });

    const created = await sendLogs(bench.emulator.url, 'CreateExportTask', json);
    const { text } = await sendLogs(bench.emulator.url, 'DescribeExportTasks', '{"limit":1.5}');

    expect(created.status).toBe(200);
    expect(text).toContain('"from":1,"to":2,');
  });

  it('takes null for absent and ignores unknown members', async () => {
    expect(await describeTasks('{"taskId":null,"limit":null,"colour":7}')).toMatchObject({
      status: 200,
    });
  });
});
