import { type Static, Type } from '@sinclair/typebox';
import { DateTime } from '#time/date-time.ts';

import { Target } from './target.ts';

const Count = (description: string) => Type.Integer({ minimum: 0, description });

/** The slot of a target: the place for the one export task AWS runs there. */
export type Slot = Static<typeof Slot>;
export const Slot = Type.Object(
  {
    state: Type.Unsafe<'free' | 'ours' | 'foreign'>({
      title: 'SlotState',
      type: 'string',
      enum: ['free', 'ours', 'foreign'],
      description:
        'Who holds it: nobody, a slice of an export job, or an export task that belongs to no job.',
    }),
    jobId: Type.Optional(
      Type.String({ description: 'With `ours`: the job, if it is for you to know, as all below.' }),
    ),
    slice: Type.Optional(Count('With `ours`: the number of the slice in its job.')),
    taskId: Type.Optional(
      Type.String({ description: 'The id AWS gave the task; absent until AWS has answered.' }),
    ),
    taskName: Type.Optional(
      Type.String({
        description: 'With `foreign`: its name, unless it names a job you may not see.',
      }),
    ),
    logGroupName: Type.Optional(Type.String({ description: 'With `foreign`: what it exports.' })),
    since: Type.Optional(DateTime('Since when it is held.')),
    seenAt: DateTime('Of when this is.'),
  },
  { title: 'Slot', description: 'The place for the one active export task of a target.' },
);

/** The queue of export jobs in front of a slot. */
export type TargetQueue = Static<typeof TargetQueue>;
export const TargetQueue = Type.Object(
  {
    waiting: Count('Slices that wait.'),
    ready: Count('How many of them may start at once; the others wait for their time.'),
    callers: Type.Array(
      Type.Object(
        {
          priority: Type.Integer({ description: 'Higher goes first; equals take turns.' }),
          caller: Type.Optional(
            Type.String({
              description: 'Whose slices they are; absent where that is not for you to know.',
            }),
          ),
          waiting: Count('Slices that wait.'),
          ready: Count('How many of them may start at once.'),
        },
        { title: 'WaitingCaller' },
      ),
      { description: 'The same by priority and caller, the highest priority first.' },
    ),
  },
  { title: 'TargetQueue', description: 'The queue of export jobs in front of the slot.' },
);

/** A target, what is in its slot, and who waits for it. */
export type TargetStatus = Static<typeof TargetStatus>;
export const TargetStatus = Type.Object(
  {
    ...Target.properties,
    slot: Slot,
    queue: Type.Optional(TargetQueue),
    busyShareLastHour: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description:
          'The share of the last hour in which an export task of a job held the slot. Export tasks of others are not counted.',
      }),
    ),
  },
  {
    title: 'TargetStatus',
    description: 'A target, what is in its slot, and who waits for it.',
    examples: [
      {
        name: 'default',
        region: 'eu-west-1',
        accountId: '123456789012',
        isDefault: true,
        slot: {
          state: 'ours',
          jobId: '5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10',
          slice: 3,
          taskId: '3f1c6a52-8c0f-4f0a-9d57-0d1a3f5d9a11',
          since: '2024-05-02T00:00:00.000Z',
          seenAt: '2024-05-02T00:00:41.318Z',
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

/** Of what the task of somebody else in a slot is: by this it is decided who may know. */
export interface SlotHolder {
  logGroupName?: string | undefined;
  destination?: string | undefined;
  destinationPrefix?: string | undefined;
}

/** What the export jobs know of a target's slot. */
export interface SlotRecord {
  /** Who holds it, as far as they know; `undefined` when they do not. */
  slot: Slot | undefined;
  holder: SlotHolder;
  queue: TargetQueue;
  busyShareLastHour: number;
  /** Whether a task is one of theirs that has ended, whatever an older answer of AWS says. */
  hasEnded: (taskId: string) => boolean;
}

/** Where the export jobs tell what they know of the slots. */
export interface SlotStatusSource {
  readSlot(target: string): Promise<SlotRecord>;
}
