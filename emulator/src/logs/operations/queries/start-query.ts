import { randomUUID } from 'node:crypto';
import { awsError } from '../../../wire/aws-error.ts';
import { integer, list, long, optional, required, text } from '../../../wire/json-input.ts';
import { expiredBefore, findLogGroup, type LogEvent, type LogGroup } from '../../log-groups.ts';
import { groupNameOf, logGroupIdentifier, logGroupName } from '../../names.ts';
import { type LogsContext, makeOperation } from '../../operation.ts';
import type { LogsQuery } from '../../queries.ts';
import { readQuery, type StreamEvent } from './query-language.ts';

/** Queries of one account and Region that may run at the same time (documentation). */
const maxRunning = 100;

/** StartQuery: a query in Logs Insights QL that counts. Times are seconds, both inclusive. */
export const startQuery = makeOperation(
  {
    queryLanguage: optional(text({ values: ['CWLI', 'SQL', 'PPL'] })),
    logGroupName: optional(logGroupName),
    logGroupNames: optional(list(logGroupName)),
    logGroupIdentifiers: optional(list(logGroupIdentifier)),
    startTime: required(long({ min: 0 })),
    endTime: required(long({ min: 0 })),
    queryString: required(text({ max: 10_000 })),
    limit: optional(integer({ min: 1, max: 100_000 })),
  },
  (input, { logs, clock, settings }) => {
    const { queryLanguage = 'CWLI', startTime, endTime } = input;
    const groups = chooseGroups(input, logs).map((name) => findLogGroup(logs.logGroups, name));
    if (queryLanguage !== 'CWLI') {
      throw awsError('InvalidParameterException', 'The emulator supports only CWLI.');
    }
    if (startTime > endTime) {
      throw awsError('InvalidParameterException', 'End time should not be before start time.');
    }
    const query = readQuery(input.queryString);
    const now = clock.now();
    const running = [...logs.queries.values()].filter(({ endsAt }) => endsAt > now);
    if (running.length >= maxRunning) {
      throw awsError('LimitExceededException', 'Account maximum query concurrency limit reached.');
    }

    const queryId = randomUUID();
    const endsAt = now + settings.queryMs;
    const started: LogsQuery = { startsAt: now + settings.queryMs / 2, endsAt, result: undefined };
    logs.queries.set(queryId, started);
    clock.at(endsAt, () => {
      const scanned = groups.flatMap((group) =>
        eventsBetween(group, { startTime, endTime }, expiredBefore(group, endsAt, settings)),
      );
      const matched = scanned.filter(query.isMatch);
      started.result = {
        rows: query.rowsOf(matched),
        matched: matched.length,
        scanned: scanned.length,
        bytes: scanned.reduce((sum, { message }) => sum + Buffer.byteLength(message), 0),
        groups: groups.length,
      };
    });
    return { output: { queryId }, effect: { kind: 'query-started', queryId } };
  },
);

/** Returns the events of a range of seconds. Of the last second only the first ms counts (assumption). */
function eventsBetween(
  { streams }: LogGroup,
  { startTime, endTime }: { startTime: bigint; endTime: bigint },
  firstKept: number,
): StreamEvent[] {
  const isInRange = ({ timestamp }: LogEvent) =>
    timestamp >= startTime * 1000n && timestamp <= endTime * 1000n && timestamp >= firstKept;
  return [...streams.values()].flatMap(({ logStreamName, events }) =>
    events.filter(isInRange).map((event) => ({ ...event, logStreamName })),
  );
}

function chooseGroups(
  input: {
    logGroupName: string | undefined;
    logGroupNames: string[] | undefined;
    logGroupIdentifiers: string[] | undefined;
  },
  place: LogsContext['logs'],
): string[] {
  const { logGroupName: name, logGroupNames: names, logGroupIdentifiers: identifiers } = input;
  const identified = identifiers?.map((one) => groupNameOf(one, place));
  const given = [name === undefined ? undefined : [name], names, identified];
  const [chosen, ...others] = given.filter((one) => one !== undefined);
  if (chosen && others.length === 0) return chosen;
  throw awsError(
    'InvalidParameterException',
    'Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be provided.',
  );
}
