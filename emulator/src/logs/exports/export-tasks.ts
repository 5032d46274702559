import { randomUUID } from 'node:crypto';
import type { Scheduler } from '../../control/clock.ts';
import type { Fault } from '../../control/faults/fault.ts';
import type { Settings } from '../../options/settings.ts';
import type { ExportTaskStatusCode } from './export-task-status.ts';

/** The parameters of an export, in AWS's words. `from` and `to` keep all 64 bits. */
export interface ExportOrder {
  taskName?: string | undefined;
  logGroupName: string;
  logStreamNamePrefix?: string | undefined;
  from: bigint;
  to: bigint;
  destination: string;
  destinationPrefix?: string | undefined;
}

/** An export task. Instants are epoch ms. */
export interface ExportTask extends ExportOrder {
  taskId: string;
  accountId: string;
  region: string;
  status: ExportTaskStatusCode;
  message: string | undefined;
  createdAt: number;
  finishedAt: number | undefined;
}

/** How a task runs, where it differs from the settings. */
export interface Course {
  /** Default: a new UUID. */
  taskId?: string | undefined;
  pendingMs?: number;
  runningMs?: number;
  /**
   * 'write' (default) writes the objects and completes, 'complete' writes none, 'fail' ends FAILED.
   */
  ending?: 'write' | 'complete' | 'fail';
  /** A fault may keep, delay or cut objects. */
  fault?: Fault | undefined;
}

/** The parameters of a task of another client in the same account. */
export const foreignOrder: ExportOrder = {
  logGroupName: '/somebody/else',
  from: 0n,
  to: 0n,
  destination: 'somebody-elses-bucket',
};

/** The course of such a task: it holds the slot for `durationMs` and writes no objects. */
export function foreignCourse(durationMs: number): Course {
  return { pendingMs: 0, runningMs: durationMs, ending: 'complete' };
}

/** Whether a task is PENDING or RUNNING: the quota counts it, and CancelExportTask accepts it. */
export function isActive({ status }: ExportTask): boolean {
  return status === 'PENDING' || status === 'RUNNING';
}

/** The export tasks of one account and Region. */
export interface ExportTasks {
  /** Oldest first. */
  all: readonly ExportTask[];
  find(taskId: string): ExportTask | undefined;
  /** Number of tasks that hold a slot. */
  activeCount(): number;
  hasName(taskName: string): boolean;
  /** Starts a task now, even above the limit. */
  start(order: ExportOrder, course?: Course): ExportTask;
  /** Begins to cancel a PENDING or RUNNING task. */
  cancel(task: ExportTask): void;
  /** Ends a task FAILED now. */
  fail(task: ExportTask): void;
  /** Adds a finished task without objects. */
  addFinished(task: ExportTask): void;
}

/** Writes the objects of a task at its end. Returns false if it cannot; the task then ends FAILED. */
export type WriteExport = (task: ExportTask, fault?: Fault) => boolean;

/** Makes the tasks of one account and Region. Only the clock changes their states. */
export function makeExportTasks(
  place: { accountId: string; region: string },
  clock: Scheduler,
  settings: Settings,
  write: WriteExport,
): ExportTasks {
  const all: ExportTask[] = [];
  const byId = new Map<string, ExportTask>();
  const names = new Set<string>();
  const holdsSlot = new Set<ExportTask>();

  const add = (task: ExportTask) => {
    all.push(task);
    byId.set(task.taskId, task);
    if (task.taskName !== undefined) names.add(task.taskName);
  };

  const finish = (task: ExportTask, status: ExportTaskStatusCode, message?: string) => {
    task.status = status;
    task.message = message;
    task.finishedAt = clock.now();
    holdsSlot.delete(task);
  };

  const run = (task: ExportTask) => {
    if (task.status !== 'PENDING') return;
    task.status = 'RUNNING';
    task.message = 'Started Successfully';
  };

  const end = (task: ExportTask, { ending = 'write', fault }: Course) => {
    if (task.status !== 'RUNNING') return;
    const isWritten = ending === 'complete' || (ending === 'write' && write(task, fault));
    if (isWritten) finish(task, 'COMPLETED', 'Completed successfully');
    else finish(task, 'FAILED', 'FAILED');
  };

  const timeOut = (task: ExportTask) => {
    if (isActive(task)) finish(task, 'FAILED', 'FAILED');
  };

  return {
    all,
    find: (taskId) => byId.get(taskId),
    activeCount: () => holdsSlot.size,
    hasName: (taskName) => names.has(taskName),

    start(order, course = {}) {
      const createdAt = clock.now();
      const task: ExportTask = {
        ...order,
        ...place,
        taskId: course.taskId ?? randomUUID(),
        status: 'PENDING',
        message: undefined,
        createdAt,
        finishedAt: undefined,
      };
      add(task);
      holdsSlot.add(task);
      const { pendingMs = settings.pendingMs, runningMs = drawRunningMs(settings) } = course;
      const startsAt = createdAt + pendingMs;
      const endsAt = startsAt + runningMs;
      const timesOutAt = createdAt + settings.taskTimeoutMs;
      clock.at(startsAt, () => run(task));
      if (endsAt < timesOutAt) clock.at(endsAt, () => end(task, course));
      else clock.at(timesOutAt, () => timeOut(task));
      return task;
    },

    cancel(task) {
      const completesAnyway =
        task.status === 'RUNNING' && settings.cancelledWhileRunning === 'completes';
      task.status = 'PENDING_CANCEL';
      task.message = settings.pendingCancelMessage;
      if (!settings.pendingCancelHoldsSlot) holdsSlot.delete(task);
      clock.at(clock.now() + settings.pendingCancelMs, () => {
        if (task.status !== 'PENDING_CANCEL') return;
        if (completesAnyway && write(task)) finish(task, 'COMPLETED', 'Completed successfully');
        else finish(task, 'CANCELLED', settings.cancelledMessage);
      });
    },

    fail: (task) => finish(task, 'FAILED', 'FAILED'),
    addFinished: add,
  };
}

function drawRunningMs({ runningMs, random }: Settings): number {
  if (typeof runningMs === 'number') return runningMs;
  const [least, most] = runningMs;
  return Math.round(least + random() * (most - least));
}
