import { randomUUID } from 'node:crypto';
import type { Fault } from '../control/faults/fault.ts';
import { partitionOf } from '../iam/partitions.ts';
import { denialMessage, findDenial } from '../iam/permissions.ts';
import type { Settings } from '../options/settings.ts';
import type { Caller } from '../sts/sessions.ts';
import { awsError } from '../wire/aws-error.ts';
import { makeJsonOperation } from '../wire/aws-json.ts';
import {
  list,
  long,
  optional,
  required,
  type StructureValue,
  structure,
  text,
} from '../wire/json-input.ts';

/** The state that an operation of EventBridge may read. */
export interface EventsContext {
  caller: Caller;
  settings: Settings;
  fault: Fault | undefined;
}

const entryMembers = {
  Time: optional(long()), // seconds
  Source: optional(text()),
  Resources: optional(list(text())),
  DetailType: optional(text()),
  Detail: optional(text()),
  EventBusName: optional(
    text({
      min: 1,
      max: 1600,
      pattern:
        '(arn:aws[\\w-]*:events:[a-z]+-[a-z]+-[\\w-]+:[0-9]{12}:event-bus\\/)?[\\/\\.\\-_A-Za-z0-9]+',
    }),
  ),
  TraceHeader: optional(text({ min: 1, max: 500 })),
};

type Entry = StructureValue<typeof entryMembers>;

// The documented limit of all entries of a request together.
const maxRequestBytes = 262_144;

/**
 * PutEvents: answers 200 although entries have failed; each has its own code (documentation). An event bus need
 * not exist. Rules and targets are not emulated.
 */
export const putEvents = makeJsonOperation(
  'ValidationException',
  {
    Entries: required(list(structure(entryMembers), { min: 1, max: 10 })),
    EndpointId: optional(text({ min: 1, max: 50 })),
  },
  ({ Entries }, context: EventsContext) => {
    const bytes = Entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
    if (bytes > maxRequestBytes) {
      const message = 'Total size of the entries in the request is over the limit.';
      throw awsError('ValidationException', message);
    }
    for (const entry of Entries) refuseDenied(entry, context);
    const results = Entries.map((entry, index) => put(entry, index, context.fault));
    const events = Entries.flatMap((entry, index) => {
      const eventId = results[index]?.EventId;
      return eventId === undefined ? [] : [toEvent(entry, eventId, context.caller)];
    });
    return {
      output: {
        FailedEntryCount: results.length - events.length,
        Entries: results,
      },
      ...(events.length > 0 && { effect: { kind: 'events-put', events } }),
    };
  },
);

/** The size of an entry (documentation): 14 bytes for a time, and its texts in UTF-8. */
function sizeOf({ Time, Source = '', DetailType = '', Detail = '', Resources = [] }: Entry) {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, one) => sum + Buffer.byteLength(one), Time === undefined ? 0 : 14);
}

/** @throws AccessDeniedException */
function refuseDenied({ EventBusName }: Entry, { caller, settings }: EventsContext): void {
  const attempt = { action: 'events:PutEvents', resource: busArn(EventBusName, caller) };
  const denial = findDenial(attempt, caller, settings);
  if (denial) throw awsError('AccessDeniedException', denialMessage(attempt, caller, denial));
}

interface EntryResult {
  EventId?: string;
  ErrorCode?: string;
  ErrorMessage?: string;
}

function put(entry: Entry, index: number, fault: Fault | undefined): EntryResult {
  if (fault?.kind === 'entries-fail' && index < (fault.failed ?? Number.POSITIVE_INFINITY)) {
    return { ErrorCode: fault.code ?? 'InternalFailure', ErrorMessage: fault.message ?? '' };
  }
  for (const member of ['Source', 'DetailType', 'Detail'] as const) {
    if (entry[member]) continue;
    const reason = `${member} is a required argument.`;
    return {
      ErrorCode: 'InvalidArgument',
      ErrorMessage: `Parameter ${member} is not valid. Reason: ${reason}`,
    };
  }
  if (entry.Source?.startsWith('aws.')) {
    const ErrorMessage = 'Not authorized for the source.';
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage };
  }
  if (!isJsonObject(entry.Detail ?? '')) {
    return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  }
  return { EventId: randomUUID() };
}

function toEvent(
  { Source = '', DetailType = '', Detail = '', EventBusName }: Entry,
  eventId: string,
  caller: Caller,
) {
  const bus = busArn(EventBusName, caller);
  return { eventId, bus, source: Source, detailType: DetailType, detail: Detail };
}

function busArn(name = 'default', { region, accountId }: Caller): string {
  if (name.startsWith('arn:')) return name;
  return `arn:${partitionOf(region).name}:events:${region}:${accountId}:event-bus/${name}`;
}

function isJsonObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
