import type { WireRequest } from './exchange.ts';

/** The claims of a signature: access key, Region and service. The signature is not verified. */
export interface Signed {
  accessKeyId: string;
  /** Empty for a presigned URL of signature version 2, which names no Region. */
  region: string;
  service: string;
  sessionToken: string | undefined;
}

// It must follow the start or a separator. A search at every position of a long header would take
// quadratic time.
const credential = /(?:^|[,\s])Credential=([^,\s]+)/;

/**
 * Reads the SigV4 credential scope from the header or from the query of a presigned URL. boto3 and the AWS
 * CLI sign URLs of S3 with version 2 by default in the Regions that accept it.
 */
export function readSignature({ headers, query }: WireRequest): Signed | undefined {
  const oldKey = query.get('AWSAccessKeyId');
  if (oldKey && query.has('Signature')) {
    const sessionToken = query.get('x-amz-security-token') ?? undefined;
    return { accessKeyId: oldKey, region: '', service: 's3', sessionToken };
  }
  const presigned = query.get('X-Amz-Credential');
  const claim = presigned === null ? headers.authorization : `Credential=${presigned}`;
  const [, scope = ''] = credential.exec(claim ?? '') ?? [];
  const [accessKeyId, date = '', region, service, end] = scope.split('/');
  if (!accessKeyId || !region || !service || !/^\d{8}$/.test(date)) return undefined;
  if (end !== 'aws4_request') return undefined;
  const token = headers['x-amz-security-token'] ?? query.get('X-Amz-Security-Token');
  return { accessKeyId, region, service, sessionToken: token?.toString() };
}
