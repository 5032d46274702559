import type { EmulatorOptions } from 'cloudwatch-logs-export-emulator/source';

/** Unverified behaviour of AWS, as options of the emulator. */
export interface Guess {
  name: string;
  emulator: EmulatorOptions;
  /** A job lacks the last millisecond of each slice (decisions/0011): it sends `to - 1`. */
  lacksLastMs?: boolean;
}

/**
 * "AWS might also …": the service must work under each of these guesses. `secondMs` is the length of a
 * second of AWS, so that a run in real time can be faster than AWS.
 */
export function guessesAboutAws(secondMs: number): readonly Guess[] {
  return [
    { name: 'do what the emulator does by default', emulator: {} },
    { name: 'show prefixes without their trailing slash', emulator: { shownPrefix: 'trimmed' } },
    { name: 'remove the trailing slash from keys', emulator: { keyPrefix: 'trimmed' } },
    {
      name: 'list a task some seconds after its creation',
      emulator: { listedAfterMs: 5 * secondMs },
    },
    {
      name: 'list a task after the look-up of the mirror has ended',
      emulator: { listedAfterMs: 12 * secondMs },
    },
    { name: 'show no executionInfo while PENDING', emulator: { pendingHasExecutionInfo: false } },
    {
      name: 'remove finished tasks from its list',
      emulator: { keepFinishedTasksMs: 15 * secondMs },
    },
    { name: 'list the oldest first under a filter', emulator: { filteredOrder: 'oldest-first' } },
    { name: 'list by id under a filter', emulator: { filteredOrder: 'by-id' } },
    { name: 'end a listing with an empty page', emulator: { emptyPages: 'last' } },
    { name: 'return an empty page before each page', emulator: { emptyPages: 'everywhere' } },
    {
      name: 'keep the slot of a task in PENDING_CANCEL',
      emulator: { pendingCancelHoldsSlot: true, pendingCancelMs: 3 * secondMs },
    },
    {
      name: 'free the slot of a task in PENDING_CANCEL',
      emulator: { pendingCancelHoldsSlot: false, pendingCancelMs: 3 * secondMs },
    },
    { name: 'accept a second cancel', emulator: { pendingCancelIsCancellable: true } },
    {
      name: 'complete a task that was cancelled late',
      emulator: { cancelledWhileRunning: 'completes' },
    },
    {
      name: 'check the limit first',
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
      name: 'select events by ingestion time',
      emulator: { eventRange: 'ingestion', rangeEnd: 'inclusive' },
    },
    {
      name: 'show an unknown code while RUNNING',
      emulator: { shownStatusCodes: { RUNNING: 'EXPORTING' } },
    },
    {
      name: 'show an unknown code while PENDING',
      emulator: { shownStatusCodes: { PENDING: 'QUEUED' } },
    },
    {
      name: 'show an unknown code in PENDING_CANCEL',
      emulator: { shownStatusCodes: { PENDING_CANCEL: 'STOPPING' }, pendingCancelMs: 3 * secondMs },
    },
    { name: 'answer 503 when it is unavailable', emulator: { serviceUnavailableStatus: 503 } },
  ];
}
