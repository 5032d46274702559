import type { EmulatorOptions } from 'cloudwatch-logs-export-emulator/source';

/** Something AWS might do that nobody has verified, as options of the emulator. */
export interface Guess {
  name: string;
  emulator: EmulatorOptions;
  /** A job lacks the last millisecond of each slice (decisions/0011): it sends `to - 1`. */
  lacksLastMs?: boolean;
}

/**
 * "AWS might also …": every guess the service must be right under. `secondMs` is how long a second of
 * AWS lasts, so that a run in real time can be quicker than AWS.
 */
export function guessesAboutAws(secondMs: number): readonly Guess[] {
  return [
    { name: 'do what the emulator does by default', emulator: {} },
    { name: 'show prefixes without the slash at their end', emulator: { shownPrefix: 'trimmed' } },
    { name: 'trim that slash from keys', emulator: { keyPrefix: 'trimmed' } },
    {
      name: 'list a task only seconds after it knows it',
      emulator: { listedAfterMs: 5 * secondMs },
    },
    {
      name: 'list a task only when the look-up of the mirror has ended',
      emulator: { listedAfterMs: 12 * secondMs },
    },
    { name: 'show no executionInfo while PENDING', emulator: { pendingHasExecutionInfo: false } },
    { name: 'forget finished tasks', emulator: { keepFinishedTasksMs: 15 * secondMs } },
    { name: 'list the oldest first under a filter', emulator: { filteredOrder: 'oldest-first' } },
    { name: 'list by id under a filter', emulator: { filteredOrder: 'by-id' } },
    { name: 'end a listing with an empty page', emulator: { emptyPages: 'last' } },
    { name: 'give an empty page before each page', emulator: { emptyPages: 'everywhere' } },
    {
      name: 'keep the slot of a task in PENDING_CANCEL',
      emulator: { pendingCancelHoldsSlot: true, pendingCancelMs: 3 * secondMs },
    },
    {
      name: 'free the slot of a task in PENDING_CANCEL',
      emulator: { pendingCancelHoldsSlot: false, pendingCancelMs: 3 * secondMs },
    },
    { name: 'take a second cancel', emulator: { pendingCancelIsCancellable: true } },
    { name: 'complete what was cancelled late', emulator: { cancelledWhileRunning: 'completes' } },
    {
      name: 'look at the limit before anything else',
      emulator: {
        checkOrder: ['activeLimit', 'bucket', 'bucketRegion', 'logGroup', 'bucketPolicy'],
      },
    },
    { name: 'refuse a taskName used before', emulator: { repeatedTaskName: 'refuse' } },
    {
      name: 'export no event at the end of a range',
      emulator: { rangeEnd: 'exclusive' },
      lacksLastMs: true,
    },
    {
      name: 'go by ingestion time',
      emulator: { eventRange: 'ingestion', rangeEnd: 'inclusive' },
    },
    {
      name: 'show a code of its own while RUNNING',
      emulator: { shownStatusCodes: { RUNNING: 'EXPORTING' } },
    },
    {
      name: 'show a code of its own while PENDING',
      emulator: { shownStatusCodes: { PENDING: 'QUEUED' } },
    },
    {
      name: 'show a code of its own in PENDING_CANCEL',
      emulator: { shownStatusCodes: { PENDING_CANCEL: 'STOPPING' }, pendingCancelMs: 3 * secondMs },
    },
    { name: 'answer 503 when it is unavailable', emulator: { serviceUnavailableStatus: 503 } },
  ];
}
