import { createServer } from 'node:http';
import { CloudWatchLogsClient, CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';

import { region } from '../requests.ts';

// The minimum of an HTTP service in front of the SDK: no checks, no log, no framework.
const client = new CloudWatchLogsClient({ region, maxAttempts: 1 });

const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  const { taskId } = await client.send(new CreateExportTaskCommand(JSON.parse(body)));
  const text = JSON.stringify({ taskId });
  response.writeHead(201, { 'content-type': 'application/json', 'content-length': text.length });
  response.end(text);
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  process.send?.({ url: `http://127.0.0.1:${port}` });
});
process.on('disconnect', () => process.exit());
