import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openAws, refused, sendLogs, sendRaw, startAt } from '../aws.ts';

const bare = (type: string) => ({ status: 400, text: `{"__type":"${type}"}` });

async function describeTasks(json: string) {
  await using aws = await openAws();
  return await sendLogs(aws.emulator.url, 'DescribeExportTasks', json);
}

describe('awsJson1_1', () => {
  it('answers with content type, request id and the date of its clock', async () => {
    await using aws = await openAws();

    const { headers } = await sendLogs(aws.emulator.url, 'DescribeExportTasks', '{}');

    expect(headers.get('content-type')).toBe('application/x-amz-json-1.1');
    expect(headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get('x-amz-request-id')).toBeNull();
    expect(headers.get('date')).toBe(new Date(startAt).toUTCString());
  });

  it.each(['', '{', '[', '"text"', 'null', '{"limit":1}}'])(
    'answers SerializationException without a message to the body %j',
    async (body) => {
      expect(await describeTasks(body)).toMatchObject(bare('SerializationException'));
    },
  );

  it.each([
    'Logs_20140328.Nothing',
    'Logs_20140328.constructor',
    'DescribeExportTasks',
    'Other_1.DescribeExportTasks',
  ])('answers UnknownOperationException without a message to the target %s', async (target) => {
    await using aws = await openAws();
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };

    expect(await sendRaw(aws.emulator.url, '{}', { headers })).toMatchObject(
      bare('UnknownOperationException'),
    );
  });

  it.each(['application/x-amz-json-1.0', 'application/json', 'text/plain'])(
    'answers 404 in XML to the content type %s',
    async (contentType) => {
      await using aws = await openAws();
      const target = 'Logs_20140328.DescribeExportTasks';
      const headers = { 'content-type': contentType, 'x-amz-target': target };

      const answer = await sendRaw(aws.emulator.url, '{}', { headers });

      expect(answer.status).toBe(404);
      expect(answer.text).toContain('<UnknownOperationException');
    },
  );

  it('answers 400 to a request without signature', async () => {
    await using aws = await openAws();
    const headers = {
      authorization: '',
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Logs_20140328.DescribeExportTasks',
    };

    const { status, text } = await sendRaw(aws.emulator.url, '{}', { headers });

    expect({ status, text }).toMatchObject(
      refused('MissingAuthenticationTokenException', 'Missing Authentication Token'),
    );
  });

  it('reads a body after 100-continue, and ignores an incomplete one', async () => {
    await using aws = await openAws();
    const head = [
      'POST / HTTP/1.1',
      'Host: x',
      'Content-Type: application/x-amz-json-1.1',
      'X-Amz-Target: Logs_20140328.DescribeExportTasks',
      'Authorization: AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0',
      'Content-Length: 2',
    ];
    const cut = connect(aws.emulator.port, '127.0.0.1');
    cut.end([...head, '', '{'].join('\r\n'));
    await new Promise((resolve) => cut.on('close', resolve).resume());

    const socket = connect(aws.emulator.port, '127.0.0.1');
    socket.write([...head, 'Expect: 100-continue', 'Connection: close', '', ''].join('\r\n'));
    let received = '';
    for await (const chunk of socket) {
      if (received === '') socket.write('{}');
      received += chunk;
    }

    expect(received).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
    expect(received).toContain('{"exportTasks":[]}');
    expect(aws.emulator.journal.entries()).toHaveLength(1);
  });
});

describe('checks types before constraints', () => {
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
    await using aws = await openAws();
    const json = JSON.stringify({ ...aws.order, from: 0 }).replace('"from":0', `"from":${from}`);

    expect(await sendLogs(aws.emulator.url, 'CreateExportTask', json)).toMatchObject(
      refused('SerializationException', message),
    );
  });

  it('truncates a fraction of an integer', async () => {
    await using aws = await openAws();
    const json = JSON.stringify({ ...aws.order, from: 1.5, to: 2.9 });

    const created = await sendLogs(aws.emulator.url, 'CreateExportTask', json);
    const { text } = await sendLogs(aws.emulator.url, 'DescribeExportTasks', '{"limit":1.5}');

    expect(created.status).toBe(200);
    expect(text).toContain('"from":1,"to":2,');
  });

  it('ignores null and unknown members', async () => {
    expect(await describeTasks('{"taskId":null,"limit":null,"colour":7}')).toMatchObject({
      status: 200,
    });
  });
});
