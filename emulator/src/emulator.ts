import { randomUUID } from 'node:crypto';
import { type Clock, makeScheduler } from './control/clock.ts';
import type { Fault } from './control/faults/fault.ts';
import { makeFaults } from './control/faults/faults.ts';
import { type JournalEntry, makeJournal } from './control/journal.ts';
import { performCall } from './control/perform-call.ts';
import { type Controls, control } from './control/routes.ts';
import { makeSeed } from './control/seed/make-seed.ts';
import { readEventsCall } from './events/api.ts';
import { readKmsCall } from './kms/api.ts';
import { makeKeys } from './kms/keys.ts';
import { readLogsCall } from './logs/api.ts';
import { makeLogsRegions } from './logs/regions.ts';
import { toListenError } from './options/listen-error.ts';
import type { EmulatorOptions, RoleRule } from './options/options.ts';
import { makeSettings } from './options/settings.ts';
import { readS3Call } from './s3/api.ts';
import { makeBuckets } from './s3/buckets.ts';
import { openDisk } from './s3/disk.ts';
import { readSnsCall } from './sns/api.ts';
import { makeTopics } from './sns/topics.ts';
import { readStsCall } from './sts/api.ts';
import { type AuthFailure, type Caller, makeSessions } from './sts/sessions.ts';
import type { Answer, Call, Delivery, WireRequest } from './wire/exchange.ts';
import { openServer } from './wire/server.ts';
import { readSignature, type Signed } from './wire/signature.ts';

export { examplesAt, seedExamples } from './control/examples.ts';
export { isAllowed, readPolicy } from './iam/policy.ts';
export { readEmulatorOptions } from './options/environment.ts';
export type { EmulatorOptions, Fault, RoleRule };

/** A running emulator of CloudWatch Logs exports, with the parts of STS, S3, KMS, SNS and EventBridge around them. */
export interface Emulator extends Controls, AsyncDisposable {
  /** The endpoint for CloudWatch Logs, STS, KMS, SNS, EventBridge and S3 (path-style). */
  url: string;
  port: number;
  /** The secret keys and tokens of all sessions. Only STS and its callers may know them. */
  sessionSecrets(): string[];
  close(): Promise<void>;
}

/**
 * Opens an emulator. After it is closed, only buckets and objects in `dataDir` remain.
 * @throws an error named ConfigError for an unknown option, a wrong value, or a port it cannot listen on
 */
export async function openEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { settings, control: optionControl } = makeSettings(options);
  const clock = makeScheduler(settings.startAt);
  const faults = makeFaults();
  const journal = makeJournal(settings.journalLimit);
  const buckets = makeBuckets(
    settings.dataDir === undefined ? undefined : openDisk(settings.dataDir),
  );
  const sessions = makeSessions(clock, settings);
  const keys = makeKeys();
  const topics = makeTopics();
  const regions = makeLogsRegions(buckets, keys, clock, settings);
  const world = { settings, clock, buckets, keys, topics, sessions, regions };

  const controls: Controls = {
    options: optionControl,
    clock,
    faults,
    journal,
    seed: makeSeed(world),
    exportTasks() {
      clock.runDue();
      return regions
        .all()
        .flatMap(({ exportTasks }) => exportTasks.all.map((task) => ({ ...task })));
    },
  };

  const handle = async (request: WireRequest): Promise<Delivery> => {
    clock.runDue();
    const controlled = control(request, controls);
    if (controlled) return { how: 'answer', answer: controlled };

    const requestId = randomUUID();
    const signed = readSignature(request);
    const caller = sessions.identify(signed);
    const call = readCall(request, signed, caller, requestId);
    const entry = describe(request, signed, caller, call, requestId);
    const fault = faults.take(call.operation, call.input, entry.accountId);
    const onLate = ({ errorCode, effect }: Answer) =>
      journal.write({ ...entry, at: clock.now(), status: 'late', errorCode, effect, fault });

    const { delivery, performed } = await performCall(call, fault, { clock, settings, onLate });
    journal.write({ ...entry, ...outcome(delivery, performed), fault });
    return stamp(delivery, { [requestIdHeaders[call.service]]: requestId }, clock);
  };

  const readCall = (
    request: WireRequest,
    signed: Signed | undefined,
    caller: Caller | AuthFailure,
    requestId: string,
  ): Call => {
    const service = signed?.service ?? guessService(request);
    if (service === 'logs') return readLogsCall(request, caller, world);
    if (service === 'kms') return readKmsCall(request, caller, world);
    if (service === 'events') return readEventsCall(request, caller, world);
    if (service === 'sns') return readSnsCall(request, caller, world, requestId);
    if (service === 'sts') return readStsCall(request, caller, world, requestId);
    return readS3Call(request, caller, world, requestId);
  };

  const describe = (
    { headers }: WireRequest,
    signed: Signed | undefined,
    caller: Caller | AuthFailure,
    { service, operation, input }: Call,
    requestId: string,
  ): Omit<JournalEntry, 'status'> => {
    const { accountId, sessionName, sourceIdentity } =
      typeof caller === 'string' ? unknownCaller : caller;
    return {
      at: clock.now(),
      service,
      operation,
      accountId,
      region: signed?.region || undefined,
      accessKeyId: signed?.accessKeyId,
      sessionName,
      sourceIdentity,
      requestId,
      invocationId: headers['amz-sdk-invocation-id']?.toString(),
      attempt: headers['amz-sdk-request']?.toString(),
      input,
    };
  };

  const { host, port } = settings;
  const server = await openServer({ host, port }, handle).catch((error: unknown) => {
    throw toListenError(error, { host, port });
  });
  return {
    url: `http://${host}:${server.port}`,
    port: server.port,
    ...controls,
    sessionSecrets: sessions.secrets,
    close: server.close,
    [Symbol.asyncDispose]: server.close,
  };
}

const unknownCaller: Partial<Caller> = {};

/** Guesses the service of an unsigned request from its form. */
function guessService({ method, path, headers }: WireRequest): string {
  const target = headers['x-amz-target']?.toString();
  if (target?.startsWith('TrentService.')) return 'kms';
  if (target?.startsWith('AWSEvents.')) return 'events';
  if (target !== undefined) return 'logs';
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  return method === 'POST' && path === '/' && isForm ? 'sts' : 's3';
}

/** The members of a journal entry that describe the answer and the effect. */
function outcome(delivery: Delivery, performed: Answer | undefined) {
  const answer = 'answer' in delivery ? delivery.answer : undefined;
  return {
    status: answer?.status ?? (delivery.how === 'silence' ? 'silence' : 'reset'),
    errorCode: answer?.errorCode ?? performed?.errorCode,
    effect: performed?.effect,
  } as const;
}

const requestIdHeaders = {
  logs: 'x-amzn-RequestId',
  sts: 'x-amzn-RequestId',
  kms: 'x-amzn-RequestId',
  sns: 'x-amzn-RequestId',
  events: 'x-amzn-RequestId',
  s3: 'x-amz-request-id',
} as const;

function stamp(
  delivery: Delivery,
  requestIdHeader: Record<string, string>,
  clock: Clock,
): Delivery {
  if (!('answer' in delivery)) return delivery;
  const { answer } = delivery;
  const headers = {
    date: new Date(clock.now()).toUTCString(),
    ...requestIdHeader,
    ...answer.headers,
  };
  return { ...delivery, answer: { ...answer, headers } };
}
