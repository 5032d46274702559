import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { STSClient } from '@aws-sdk/client-sts';

import type { AwsConnectionOptions } from '../client/connections.ts';
import type { AwsTimeouts } from '../client/timeouts.ts';
import { type Clocks, type CreateClient, openCreateClient } from '../creates/create-client.ts';
import type { CallKeys } from '../sessions/credentials.ts';
import { makeDefaultCredentials } from '../sessions/default-credentials.ts';
import { type EventBridge, openEventBridge, openSns, type Sns } from '../sinks/sdk.ts';
import { type Kms, openKms, openS3, type S3 } from '../storage/calls/sdk.ts';
import { type ClientPool, makeClientPool } from './client-pool.ts';
import type { LateClient } from './late-client.ts';
import { maxAttempts, openReadClient, openStsClient } from './sdk-clients.ts';
import { makeSharedClient } from './shared-client.ts';

/** AWS in one Region. All targets of the Region share its clients and their connections. */
export interface AwsRegion {
  name: string;
  timeouts: AwsTimeouts;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  /** Calls of CloudWatch Logs that may be retried. */
  reads: ClientPool<CloudWatchLogsClient>;
  /** Calls of CreateExportTask. */
  creates: ClientPool<CreateClient>;
  /** Sessions of the gateway itself, and checks of accounts. */
  sessions: ClientPool<STSClient>;
  /** Sessions of single creates. They have places of their own, so checks never delay them. */
  scopedSessions: ClientPool<STSClient>;
  /** Calls of S3. The SDK is loaded for the first one. */
  s3: ClientPool<LateClient<S3>>;
  /** Calls of KMS. The SDK is loaded for the first one. */
  kms: ClientPool<LateClient<Kms>>;
  /** Calls of SNS and EventBridge. Each SDK is loaded for the first one. */
  sns: ClientPool<LateClient<Sns>>;
  eventBridge: ClientPool<LateClient<EventBridge>>;
  /** Reads the credentials of the gateway itself, from the default chain of the SDK. */
  defaultCredentials(options?: { forceRefresh?: boolean }): Promise<CallKeys>;
}

/** AWS in all Regions. */
export interface Aws extends Disposable {
  /** Returns a Region. Its clients are opened when they are first used. */
  region(name: string): AwsRegion;
}

// Calls in flight in one Region. A call in flight is a connection, with TLS about 50 KiB. The budget of
// a target is four calls a second. So 16 are in flight only if AWS takes four seconds for each. Fewer:
// a slow account refuses calls that AWS would answer, and hundreds of busy targets wait for each other
// while AWS takes a second for each call. More: accounts that hang fill the memory.
const logsPlaces = { total: 512, perHolder: 16 };
// As above. S3 allows thousands of calls a second. Fewer: a verification of many objects waits for each
// answer. More: verifications of many targets fill the memory with connections.
const storagePlaces = { total: 128, perHolder: 16 };
// As above. Two at once go to each topic and each bus. Fewer: topics of many targets wait for each other. More:
// topics that hang fill the memory.
const sinkPlaces = { total: 32, perHolder: 4 };
// AWS allows 600 calls of STS a second, for the account and Region of the caller. At 50 ms a call, 16 in
// flight are 320 a second. Fewer: the check of a thousand accounts takes too long. More: other
// services of the account are throttled. A role has one call in flight, whether it hangs or not.
const sessionPlaces = { total: 16, perHolder: 1 };
// As above. A target runs one task at a time, so it seldom needs more than one. Callers whose creates
// wait for the same hanging role share four.
const scopedPlaces = { total: 16, perHolder: 4 };

const lookForUnusedMs = 60_000;

/** Opens AWS. */
export function openAws(options: AwsConnectionOptions & Clocks): Aws {
  const regions = new Map<string, OpenRegion>();
  const timer = setInterval(() => {
    for (const { closeUnused } of regions.values()) closeUnused();
  }, lookForUnusedMs);
  timer.unref();

  return {
    region(name) {
      const region = regions.get(name) ?? openRegion(name, options);
      regions.set(name, region);
      return region.aws;
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      for (const { close } of regions.values()) close();
    },
  };
}

type OpenRegion = ReturnType<typeof openRegion>;

function openRegion(name: string, options: Parameters<typeof openAws>[0]) {
  const { elapsed } = options;
  const reads = makeSharedClient(() => openReadClient(name, options), elapsed);
  const creates = makeSharedClient(() => openCreateClient(name, options), elapsed);
  const sts = makeSharedClient(() => openStsClient(name, options), elapsed);
  const s3 = makeSharedClient(() => openS3(name, options), elapsed);
  const kms = makeSharedClient(() => openKms(name, options), elapsed);
  const sns = makeSharedClient(() => openSns(name, options), elapsed);
  const eventBridge = makeSharedClient(() => openEventBridge(name, options), elapsed);
  const clients = [reads, creates, sts, s3, kms, sns, eventBridge];
  const provide = makeDefaultCredentials();
  const aws: AwsRegion = {
    name,
    timeouts: options.timeouts,
    elapsed,
    reads: makeClientPool(reads, { ...logsPlaces, attempts: maxAttempts.read }),
    creates: makeClientPool(creates, { ...logsPlaces, attempts: 1 }),
    sessions: makeClientPool(sts, { ...sessionPlaces, attempts: maxAttempts.sts }),
    scopedSessions: makeClientPool(sts, { ...scopedPlaces, attempts: maxAttempts.sts }),
    s3: makeClientPool(s3, { ...storagePlaces, attempts: maxAttempts.read }),
    kms: makeClientPool(kms, { ...storagePlaces, attempts: maxAttempts.read }),
    sns: makeClientPool(sns, { ...sinkPlaces, attempts: 1 }),
    eventBridge: makeClientPool(eventBridge, { ...sinkPlaces, attempts: 1 }),
    defaultCredentials: (refresh) =>
      sts.use(({ config }) => provide({ ...refresh, callerClientConfig: config })),
  };
  return {
    aws,
    closeUnused() {
      for (const client of clients) client.closeIfUnused();
    },
    close() {
      for (const client of clients) client[Symbol.dispose]();
    },
  };
}
