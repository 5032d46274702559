import { type Static, Type } from '@sinclair/typebox';
import { DateTime } from '#time/date-time.ts';

import { QueueProblem, Target } from '../target.ts';
import type { StartProblem } from './start-problem.ts';

const Count = (description: string) => Type.Integer({ minimum: 0, description });

/** The slot of a target: the place for the one active export task. */
export type Slot = Static<typeof Slot>;
export const Slot = Type.Object(
  {
    state: Type.Unsafe<'free' | 'ours' | 'foreign'>({
      title: 'SlotState',
      type: 'string',
      enum: ['free', 'ours', 'foreign'],
      description:
        'State of the slot. `free`: no export task is active. `ours`: a slice of an export job holds it. `foreign`: another export task holds it. No export job of this installation created that task. For example, it was created with POST /export-tasks or in the AWS console.',
    }),
    jobId: Type.Optional(
      Type.String({
        description:
          'Id of the export job. Present when `state` is `ours` and you may see the job.',
      }),
    ),
    slice: Type.Optional(
      Count(
        'Number of the slice in its job. Present when `state` is `ours` and you may see the job.',
      ),
    ),
    taskId: Type.Optional(
      Type.String({
        description:
          'Id of the export task in AWS. Absent when `state` is `free`, before AWS has answered the create call, or if you may not see the task.',
      }),
    ),
    taskName: Type.Optional(
      Type.String({
        description:
          'Name of the export task. Only present when `state` is `foreign`. Absent if the task has no name, if it is not known, or if you may not see it. It begins with `xp1-` if an export job of another installation of this service created the task.',
      }),
    ),
    logGroupName: Type.Optional(
      Type.String({
        description:
          'Log group of the export task. Present when `state` is `foreign`, the log group is known, and you may see the task.',
      }),
    ),
    since: Type.Optional(
      DateTime(
        'When AWS created the export task. If that time is unknown, it is when the create call was recorded. Absent when `state` is `free`, or if neither time is known.',
      ),
    ),
    seenAt: DateTime(
      'When this was observed. If `state` is `ours`, it was read from the records of the export jobs, otherwise from AWS.',
    ),
  },
  {
    title: 'Slot',
    description:
      'The slot of a target: the place for its one active export task. Absent if the target is not `ready` and no export job holds the slot.',
  },
);

/** The queue of export jobs in front of a slot. */
export type TargetQueue = Static<typeof TargetQueue>;
export const TargetQueue = Type.Object(
  {
    waiting: Count('Number of waiting slices.'),
    ready: Count(
      'Number of waiting slices that can start now. The others wait until their log events are exportable, or until the pause after a failed attempt is over.',
    ),
    callers: Type.Array(
      Type.Object(
        {
          priority: Type.Integer({
            description:
              'Priority of the slices. A higher priority starts first. Callers with the same priority get fair shares.',
          }),
          caller: Type.Optional(
            Type.String({
              description:
                '`<issuer>#<subject>` of the caller, or `anonymous`. Absent if you may not see its jobs.',
            }),
          ),
          waiting: Count('Number of waiting slices.'),
          ready: Count('Number of waiting slices that can start now.'),
        },
        {
          title: 'WaitingCaller',
          description:
            'Waiting slices of a caller at one priority. All callers whose jobs you may not see share one entry for each priority.',
        },
      ),
      { description: 'Waiting slices by priority and caller, highest priority first.' },
    ),
    problem: Type.Optional(QueueProblem),
  },
  {
    title: 'TargetQueue',
    description:
      'The queue of waiting slices in front of the slot. Present if export jobs are enabled.',
  },
);

/** A target, its slot and its queue. */
export type TargetStatus = Static<typeof TargetStatus>;
export const TargetStatus = Type.Object(
  {
    ...Target.properties,
    slot: Type.Optional(Slot),
    queue: Type.Optional(TargetQueue),
    busyShareLastHour: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description:
          'Share of the last hour in which an export job held the slot, from 0 to 1. Other export tasks do not count. Present if export jobs are enabled.',
      }),
    ),
  },
  {
    title: 'TargetStatus',
    description: 'A target with the state of its slot and its queue.',
    examples: [
      {
        name: 'default',
        region: 'eu-west-1',
        accountId: '123456789012',
        isDefault: true,
        state: 'ready',
        since: '2024-05-04T08:00:00.000Z',
        slot: {
          state: 'ours',
          jobId: '5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10',
          slice: 1,
          taskId: 'c7a41e08-52bd-4b19-8f6e-3d90b2a7f415',
          since: '2024-05-04T08:02:05.000Z',
          seenAt: '2024-05-04T08:02:46.318Z',
        },
        queue: {
          waiting: 28,
          ready: 27,
          callers: [{ priority: 0, caller: 'anonymous', waiting: 28, ready: 27 }],
        },
        busyShareLastHour: 0.8,
      },
    ],
  },
);

/** The resources of a foreign task in a slot. They decide who may see it. */
export interface SlotHolder {
  /** Where it was seen. Default: the account and Region of the target. */
  accountId?: string | undefined;
  region?: string | undefined;
  logGroupName?: string | undefined;
  destination?: string | undefined;
  destinationPrefix?: string | undefined;
}

/** What the export jobs know about the slot of a target. */
export interface SlotRecord {
  /** `undefined` when no task of theirs holds it. */
  slot: Slot | undefined;
  holder: SlotHolder;
  queue: TargetQueue;
  /** Why the newest create led to no task. */
  createProblem: StartProblem | undefined;
  busyShareLastHour: number;
  /** Whether a task is one of theirs that has ended, even if an older answer of AWS lists it as active. */
  hasEnded: (taskId: string) => boolean;
}

/** Reads what the export jobs know about slots. */
export interface SlotStatusSource {
  readSlot(target: string): Promise<SlotRecord>;
}
