import { type Static, Type } from '@sinclair/typebox';

import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Evaluated } from '#auth/authorization/owned-access.ts';
import { readPermittedPage } from '#auth/authorization/permitted-page.ts';
import type { Database } from '#database/database.ts';
import { TargetName } from '#export-tasks/export-task.ts';
import { defaultPageLimit, type Page, pageParameters, readCursor } from '#paging/page.ts';
import { Text } from '#validation/text.ts';
import type { ArchiveAccess } from '../access/archive-access.ts';
import { type Archive, ArchiveStateName, maxNamesInList } from '../presenters/archive-view.ts';
import { currentStateOf, showArchive } from '../presenters/show-archive.ts';
import { readArchivePart, type StoredArchive } from '../store/reads/read-archives.ts';

/** The filter of a list of archives, and its page. */
export type ArchiveListQuery = Static<typeof ArchiveListQuery>;
export const ArchiveListQuery = Type.Object(
  {
    state: Type.Optional({
      ...ArchiveStateName,
      description: 'Return only archives in this state. Default: all states.',
    }),
    caller: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 1_024,
        rule: 'the id of a caller, 1 to 1024 characters, or *',
        description:
          'Id of a caller, `<issuer>#<subject>` or `anonymous`: return the archives of this caller that you may see. `*` means all callers. Default: you, so that the list has your own archives.',
      }),
    ),
    target: Type.Optional({
      ...TargetName,
      description: 'Return only archives of this target. Default: all targets.',
    }),
    name: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 256,
        rule: 'text of 1 to 256 characters',
        description: 'Return only archives with exactly this name. Default: all names.',
      }),
    ),
    ...pageParameters,
  },
  { additionalProperties: false },
);

/** Lists archives, the newest first: the caller's own, or those of others that it may read. */
export type ListArchives = (
  request: CallerRequest,
  query: ArchiveListQuery,
) => Promise<Page<Archive>>;

// The parts are small, so a page takes more of them than other lists: two hundred archives.
const maxParts = 40;

/** Makes `ListArchives`. `basePath` is the public path prefix of all links. */
export function makeListArchives(options: {
  database: Database;
  access: ArchiveAccess;
  basePath: string;
}): ListArchives {
  const { database, access, basePath } = options;

  /** Hides archives in other states, without a decision. */
  async function* evaluate(
    request: CallerRequest,
    archives: readonly StoredArchive[],
    state: ArchiveListQuery['state'],
  ): AsyncGenerator<Evaluated<StoredArchive>> {
    const isWanted = (archive: StoredArchive) =>
      state === undefined || currentStateOf(archive) === state;
    const evaluated = access.evaluate(request, archives.filter(isWanted));
    for (const archive of archives) {
      if (!isWanted(archive)) yield { head: archive, isPermitted: false, decisions: 0 };
      else {
        const answer: Evaluated<StoredArchive> = (await evaluated.next()).value;
        const head = answer.isPermitted
          ? await access.hideExpiry(request, answer.head)
          : answer.head;
        yield { ...answer, head: withFewNames(head) };
      }
    }
  }

  return async (request, { limit = defaultPageLimit, cursor, caller, ...others }) => {
    const { id: ownId } = request.principal;
    const filter = { ...others, caller: caller === '*' ? undefined : (caller ?? ownId) };
    const [at, id] = readCursor(cursor, ['number', 'string']) ?? [];

    const { entries, ...page } = await readPermittedPage<StoredArchive>({
      limit,
      after: at === undefined || id === undefined ? undefined : { at, id },
      maxParts,
      readPart: (after, rows) => readArchivePart(database, { ...filter, after, limit: rows }),
      evaluate: (archives) => evaluate(request, archives, filter.state),
      cursorOf: (archive) => ({ at: archive.createdAt, id: archive.id }),
    });

    return { entries: entries.map((archive) => showArchive(archive, basePath)), ...page };
  };
}

/** Cuts the names of an archive in a list: a page of a hundred archives could have 50 megabytes of them. */
function withFewNames(archive: StoredArchive): StoredArchive {
  const { definition } = archive;
  const logGroupNames = definition.logGroupNames?.slice(0, maxNamesInList) ?? null;
  return { ...archive, definition: { ...definition, logGroupNames } };
}
