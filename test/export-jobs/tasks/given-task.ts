import { randomUUID } from 'node:crypto';

import type { Database } from '#database/database.ts';
import { planTask } from '#export-jobs/planning/tasks/plan-task.ts';
import type { VerificationMode } from '#export-jobs/planning/verification-mode.ts';
import { readClock } from '#export-jobs/queue/read-queue.ts';
import { acceptTask } from '#export-jobs/store/tasks/accept-task.ts';
import type { TaskParameters } from '#export-jobs/task-parameters.ts';
import { requestOf } from '../caller-requests.ts';
import type { Queue } from '../open-queue.ts';

/** The parameters of a task that succeeds in the world of `openQueue`, in seconds as in the example of the AWS CLI. */
export const taskParameters: TaskParameters = {
  logGroupName: '/app',
  from: 1_611_316_574n,
  to: 1_642_852_574n,
  destination: 'archive',
};

/** Where a task is accepted. */
interface GivenTask {
  caller?: string;
  verification?: VerificationMode;
  target?: string;
}

/** Accepts a task, without the protocol. Returns the id of its job. */
export async function givenTask(
  database: Database,
  parameters: Partial<TaskParameters> = {},
  { caller = 'anonymous', verification = 'off', target = 'default' }: GivenTask = {},
): Promise<string> {
  const jobId = randomUUID();
  const now = await readClock(database);
  const whole = { ...taskParameters, ...parameters };
  await acceptTask(database, {
    jobId,
    request: requestOf(caller),
    acceptedAt: now,
    keyUses: [{ key: `signature:${jobId}`, digest: jobId }],
    plan: planTask(whole, { target, now, verification, policies: ['a-rule'] }),
    maxWaitingSlices: 0,
  });
  return jobId;
}

/** Accepts a task in a queue, and wakes its dispatchers. */
export async function putTask(
  queue: Queue,
  parameters: Partial<TaskParameters> = {},
  options: GivenTask = {},
): Promise<string> {
  const jobId = await givenTask(queue.database, parameters, options);
  for (const dispatcher of queue.dispatchers) dispatcher.wake();
  return jobId;
}
