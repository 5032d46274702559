import { randomUUID } from 'node:crypto';
import { CloudWatchLogsClient, CreateExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';
import type { IHttpRequest } from '@smithy/core/protocols';

import { exactDigits } from '#validation/int64.ts';
import { readUnsentRequest } from '../endpoint/unsent-request.ts';
import type { CreateExportTaskInput } from '../export-task.ts';
import type { CallKeys } from '../sessions/credentials.ts';
import { type SigningScope, signRequest } from './signature.ts';

/** The request of the SDK for CreateExportTask in a Region, without what differs from call to call. */
export interface RequestTemplate extends IHttpRequest {
  scope: SigningScope;
}

const example = { logGroupName: 'none', from: 0, to: 0, destination: 'none' };

/**
 * Reads the template from the SDK. So its endpoint, its path and its headers are those of the SDK for any
 * environment, profile and partition.
 * @throws the error of the SDK, such as about an endpoint that it cannot use
 */
export async function readRequestTemplate(region: string): Promise<RequestTemplate> {
  const request = await readUnsentRequest(region, (config) =>
    new CloudWatchLogsClient(config).send(new CreateExportTaskCommand(example)),
  );
  const {
    authorization = '',
    'content-length': _length,
    'amz-sdk-invocation-id': _id,
    'x-amz-date': _date,
    'x-amz-content-sha256': _hash,
    ...headers
  } = request.headers;
  const [, , signedRegion, service] = partOf(authorization, 'Credential').split('/');
  const names = partOf(authorization, 'SignedHeaders');
  if (signedRegion === undefined || service === undefined || names === '')
    throw new Error('the AWS SDK has signed a request in an unknown way');
  // The SDK signs a session token, too. The keys of nobody have none.
  const signedHeaders = [...names.split(';'), 'x-amz-security-token'].sort();
  return { ...request, headers, scope: { region: signedRegion, service, signedHeaders } };
}

/** A part of an Authorization header of AWS, such as SignedHeaders. */
function partOf(authorization: string, name: string): string {
  return authorization.split(`${name}=`)[1]?.split(',')[0] ?? '';
}

/** Makes the request of one call: the template with its own body and signature. */
export function signCreate(
  { scope, ...template }: RequestTemplate,
  task: CreateExportTaskInput,
  session: { keys: CallKeys; date: Date },
): IHttpRequest {
  const body = JSON.stringify({ ...task, from: exactDigits(task.from), to: exactDigits(task.to) });
  const headers = {
    ...template.headers,
    'content-length': String(Buffer.byteLength(body)),
    'amz-sdk-invocation-id': randomUUID(),
  };
  return signRequest({ ...template, headers, body }, scope, session);
}
