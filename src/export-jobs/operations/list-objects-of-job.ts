import { type Static, Type } from '@sinclair/typebox';
import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import { objectsPrefixOf } from '#aws/destination-prefix.ts';
import type { Database } from '#database/database.ts';
import { type Page, readCursor, toCursor } from '#paging/page.ts';
import type { Targets } from '#targets/target.ts';
import { DateTime, toDateTime } from '#time/date-time.ts';
import { Text } from '#validation/text.ts';
import type { JobHead } from '../store/reads/read-heads.ts';
import { findExportedSlice } from '../store/verifications/find-exported-slice.ts';
import { listExportPage } from '../verification/list-export.ts';

// A page is one call to S3, which lists at most a thousand.
const maxLimit = 1_000;
const defaultLimit = 100;

/** The page of a list of objects. */
export type ObjectListQuery = Static<typeof ObjectListQuery>;
export const ObjectListQuery = Type.Object(
  {
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: maxLimit,
        description: `Maximum number of objects in the answer. Default: ${defaultLimit}.`,
        'x-rule': `an integer from 1 to ${maxLimit}`,
      }),
    ),
    cursor: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 2_048, // a key has up to 1,024 bytes
        rule: 'the nextCursor of an earlier answer',
        description: 'The `nextCursor` of the previous page. Default: the first page.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** An object of a job, as callers see it. */
export type ExportedObject = Static<typeof ExportedObject>;
export const ExportedObject = Type.Object(
  {
    slice: Type.Integer({ minimum: 0, description: 'Number of the slice of the object.' }),
    attempt: Type.Integer({ minimum: 1, description: 'Number of the attempt that exported it.' }),
    key: Type.String({ description: 'Key of the object in the destination bucket.' }),
    size: Type.Integer({
      minimum: 0,
      format: 'int64',
      description: 'Size of the object in bytes. The object is gzip-compressed.',
    }),
    etag: Type.String({ description: 'ETag of the object, without quotation marks.' }),
    lastModified: DateTime('When the object was written.'),
  },
  { title: 'ExportedObject', description: 'An object that was exported.' },
);

/** Lists the objects of the completed slices of a job that the caller may read. */
export type ListObjects = (
  request: CallerRequest,
  head: JobHead,
  query: ObjectListQuery,
) => Promise<Page<ExportedObject>>;

/** Makes `ListObjects`. A page has objects of one slice, and costs one call to S3. */
export function makeListObjects({
  database,
  targets,
}: {
  database: Database;
  targets: Pick<Targets, 'find'>;
}): ListObjects {
  return async ({ principal }, head, { limit = defaultLimit, cursor }) => {
    const [from = 0, encoded = ''] = readCursor(cursor, ['ordinal', 'string']) ?? [];
    const { slice, next } = await findExportedSlice(database, head.id, from);
    if (!slice) return { entries: [] };
    const { number, attempt } = slice;
    const place = { ...slice, destination: head.destination };
    const prefix = objectsPrefixOf(slice);
    const after = decode(encoded);

    const storage = targets.find(head.target).storage.scoped(place, principal.id);
    const page = await listExportPage(
      storage,
      place,
      { limit, ...(number === from && after !== '' && { after: prefix + after }) },
      { caller: principal.id },
    );

    const entries = page.objects.map(({ key, size, etag, lastModified }) => ({
      slice: number,
      attempt,
      key,
      size,
      etag,
      lastModified: toDateTime(lastModified),
    }));
    if (page.next !== undefined) {
      const last = page.next.slice(prefix.length);
      return { entries, nextCursor: toCursor([number, encode(last)]) };
    }
    return { entries, ...(next !== undefined && { nextCursor: toCursor([next, none]) }) };
  };
}

// A cursor has no empty member.
const none = '-';
const encode = (text: string) => Buffer.from(text).toString('base64url');
const decode = (text: string) => (text === none ? '' : Buffer.from(text, 'base64url').toString());
