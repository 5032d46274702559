import { awsError } from '../../wire/aws-error.ts';
import type { Answer } from '../../wire/exchange.ts';
import { writeXml } from '../../wire/xml/xml.ts';
import type { S3Context } from '../operation.ts';
import { s3Namespace } from './bucket-operations.ts';
import { readToken, writeToken } from './list-objects.ts';

/** Maximum and default length of a page (service model). */
const maxPage = 10_000;

/** With one of them an answer names the Regions of the buckets (documentation). */
const parameters = ['prefix', 'bucket-region', 'max-buckets', 'continuation-token'];

/** ListBuckets: the buckets of the caller's account by name, of all Regions or of one, in pages. */
export function listBuckets({ caller, request: { query }, buckets }: S3Context): Answer {
  const prefix = query.get('prefix') ?? '';
  const region = query.get('bucket-region');
  const token = query.get('continuation-token');
  const after = token === null ? '' : readToken(token);
  const pageLength = readMaxBuckets(query.get('max-buckets'));
  const found = buckets
    .all()
    .filter(
      (bucket) =>
        bucket.accountId === caller.accountId &&
        bucket.name.startsWith(prefix) &&
        bucket.name > after &&
        (region === null || bucket.region === region),
    );
  const isFiltered = parameters.some((name) => query.has(name));
  const page = found.slice(0, pageLength);
  const isTruncated = page.length < found.length;
  const content = {
    Owner: { ID: caller.accountId },
    Buckets: {
      Bucket: page.map((bucket) => ({
        Name: bucket.name,
        CreationDate: new Date(bucket.createdAt - (bucket.createdAt % 1000)).toISOString(),
        BucketRegion: isFiltered ? bucket.region : undefined,
      })),
    },
    ContinuationToken: isTruncated ? writeToken(page.at(-1)?.name ?? '') : undefined,
    Prefix: query.get('prefix') ?? undefined,
  };
  const body = writeXml('ListAllMyBucketsResult', content, s3Namespace);
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

/** The error for another number is an assumption. */
function readMaxBuckets(given: string | null): number {
  if (given === null) return maxPage;
  const count = Number(given);
  if (/^\d{1,5}$/.test(given) && count >= 1 && count <= maxPage) return count;
  throw awsError('InvalidArgument', `Argument max-buckets must be between 1 and ${maxPage}`);
}
