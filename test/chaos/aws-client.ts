import { request } from 'node:http';
import { text } from 'node:stream/consumers';

/** A CreateExportTask that a client of AWS repeats with one invocation id until it is answered. */
export interface TaskToCreate {
  invocationId: string;
  /** Unique among all of them. */
  signature: string;
  target: string;
  region: string;
  destination: string;
  destinationPrefix: string;
}

/** The answer to one attempt: the id of the task, or the code of the error. Undefined without an answer. */
export interface TaskAnswer {
  taskId?: string;
  error?: string;
}

const from = Date.UTC(2024, 4, 1);
const to = Date.UTC(2024, 4, 2) - 1;

/** Sends one attempt. A client that disconnects early gets no answer. Never throws. */
export function createTask(
  port: number,
  task: TaskToCreate,
  disconnectAfterMs: number | undefined,
): Promise<TaskAnswer | undefined> {
  const { invocationId, signature, target, region, destination, destinationPrefix } = task;
  const scope = `any/20240501/${region}/logs/aws4_request`;
  return new Promise((resolve) => {
    const sending = request({
      host: '127.0.0.1',
      port,
      method: 'POST',
      path: `/aws/${target}`,
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'Logs_20140328.CreateExportTask',
        'amz-sdk-invocation-id': invocationId,
        authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${signature}`,
      },
    });
    sending.on('error', () => resolve(undefined)); // also after an early disconnect
    sending.on('response', (answer) => {
      text(answer).then(
        (body) => resolve(read(body)),
        () => resolve(undefined),
      );
    });
    if (disconnectAfterMs !== undefined) setTimeout(() => sending.destroy(), disconnectAfterMs);
    sending.end(JSON.stringify({ logGroupName: '/app', from, to, destination, destinationPrefix }));
  });
}

function read(body: string): TaskAnswer {
  const { taskId, __type: error } = JSON.parse(body);
  return { ...(taskId && { taskId }), ...(error && { error }) };
}
