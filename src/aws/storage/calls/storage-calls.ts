import { Problem } from '#problems/problem.ts';
import type { CallOptions, VerificationGrant } from '../../call-options.ts';
import { withDeadline } from '../../client/deadline.ts';
import { measureCall } from '../../client/measure-call.ts';
import { readDeadlineMs } from '../../client/timeouts.ts';
import { markUnsent } from '../../client/unsent-calls.ts';
import { isRefusedForCredentials, toAwsProblem } from '../../error-meaning.ts';
import type { ClientPool } from '../../regions/client-pool.ts';
import type { LateClient } from '../../regions/late-client.ts';
import type { AwsRegion } from '../../regions/open-aws.ts';
import type { Credentials, VerificationCredentials } from '../../sessions/credentials.ts';
import type { Kms, S3 } from './sdk.ts';

/** One call of S3 or KMS: what it is about, and how it is made. */
export interface StorageCall {
  operation: string;
  bucket?: string | undefined;
  /** The key of an object, or the prefix of a list. */
  objectKey?: string | undefined;
  kmsKeyId?: string | undefined;
  options?: CallOptions | undefined;
  /** The verification that makes the call. Default: the gateway itself or a caller, in the session of the role. */
  verification?: { grant: VerificationGrant; caller: string } | undefined;
  /** The time for all attempts. Default: that of a read. */
  deadlineMs?: number | undefined;
}

/** Sends the command of a call. */
type Send<Client, Answer> = (
  client: Client,
  options: { abortSignal: AbortSignal },
) => Promise<Answer>;

/**
 * Makes calls of one service. Failures are Problems. With `whenRead`, the place of the call and the
 * connections of its client are kept until it resolves: a client without calls is closed.
 */
export type ServiceCalls<Client> = <Answer extends object>(
  call: StorageCall,
  send: Send<Client, Answer>,
  whenRead?: (answer: Answer) => Promise<void>,
) => Promise<Answer>;

/** Calls of S3 and KMS in the name of one target. */
export interface StorageCalls {
  s3: ServiceCalls<S3>;
  kms: ServiceCalls<Kms>;
}

/** Makes the calls of one target. Nothing is loaded before the first one. */
export function makeStorageCalls(options: {
  region: AwsRegion;
  /** Default: the credentials of the gateway itself. */
  credentials: Credentials | undefined;
  /** The credentials of one verification. Default: it uses `credentials`. */
  credentialsFor?: VerificationCredentials | undefined;
}): StorageCalls {
  const { region, credentialsFor } = options;
  const { credentials = region.defaultCredentials } = options;
  const holder = options; // identifies this target

  const callsOf =
    <Client>(service: 'S3' | 'KMS', pool: ClientPool<LateClient<Client>>): ServiceCalls<Client> =>
    async (call, send, whenRead) => {
      const {
        operation,
        bucket,
        verification,
        deadlineMs = readDeadlineMs(region.timeouts),
      } = call;
      if (bucket !== undefined && !mayBeBucket(bucket)) throw noSuchBucket();
      const source =
        (verification && credentialsFor?.(verification.grant, verification.caller)) ?? credentials;

      async function sendInPlace(deadline: AbortSignal) {
        const signals = [deadline, call.options?.signal].filter((one) => one !== undefined);
        const signal = AbortSignal.any(signals);
        const { promise, resolve, reject } =
          Promise.withResolvers<Awaited<ReturnType<typeof send>>>();
        const inPlace = pool.call({ holder, keys: await source(), signal }, async (late) => {
          const answer = await send(await late.get(), { abortSignal: signal }).catch(nameByStatus);
          resolve(answer);
          await whenRead?.(answer);
        });
        inPlace.catch(reject);
        return promise;
      }

      try {
        return await measureCall(`${service}/${operation}`, region, () =>
          markUnsent(() => withDeadline(deadlineMs, ({ abortSignal }) => sendInPlace(abortSignal))),
        );
      } catch (error) {
        if (isRefusedForCredentials(error)) source({ forceRefresh: true }).catch(() => {});
        throw toAwsProblem(service, error);
      }
    };

  return { s3: callsOf('S3', region.s3), kms: callsOf('KMS', region.kms) };
}

/** Names the error of a HEAD. Its answer has no body, so the SDK does not know the name. */
function nameByStatus(error: Error & { $metadata?: { httpStatusCode?: number } }): never {
  const isDenied = error.name === 'Unknown' && error.$metadata?.httpStatusCode === 403;
  throw isDenied ? Object.assign(error, { name: 'AccessDenied' }) : error;
}

/**
 * Whether a text may be the name of a bucket that exports can be in. With others, the SDK would call another
 * host or path: `..` is the list of all buckets, an ARN is an access point, and a name that ends with
 * `--x-s3` is a directory bucket, which needs a session. Old names have up to 255 characters.
 */
function mayBeBucket(name: string): boolean {
  return /^[A-Za-z0-9._-]{3,255}$/.test(name) && !name.endsWith('--x-s3');
}

function noSuchBucket(): Problem {
  return new Problem('destination-not-found', 'No bucket for exports can have this name.');
}
