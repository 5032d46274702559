import { CloudWatchLogsClient, CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';
import Fastify from 'fastify';

// A service that a team could write in an hour: Fastify, a schema, and the SDK with its defaults.
const client = new CloudWatchLogsClient();
const app = Fastify();

const body = {
  type: 'object',
  required: ['logGroupName', 'from', 'to', 'destination'],
  properties: {
    taskName: { type: 'string' },
    logGroupName: { type: 'string' },
    from: { type: 'integer' },
    to: { type: 'integer' },
    destination: { type: 'string' },
    destinationPrefix: { type: 'string' },
  },
};

app.post('/export-tasks', { schema: { body } }, async (request, reply) => {
  const { taskId } = await client.send(new CreateExportTaskCommand(request.body as never));
  return reply.code(201).send({ taskId });
});

const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.on('disconnect', () => process.exit());
process.send?.({ url });
