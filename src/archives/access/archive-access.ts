import type { Authorizer, CallerRequest, TargetIdentity } from '#auth/authorization/authorizer.ts';
import { type Evaluated, makeOwnedAccess } from '#auth/authorization/owned-access.ts';
import type { Database } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';
import { identityNamed, type Targets } from '#targets/target.ts';
import type { ArchiveDefinition } from '../archive.ts';
import { findArchive, type StoredArchive } from '../store/reads/read-archives.ts';

/** What a caller can do with an existing archive. */
type ArchiveAction = 'ReadArchive' | 'ChangeArchive';

/** An archive that a request is permitted for. */
export interface FoundArchive {
  archive: StoredArchive;
  target: TargetIdentity;
  /** The ids of the policies that permit the request. */
  policies: readonly string[];
}

/** Access to archives, decided for the caller. Every operation on an archive goes through it. */
export interface ArchiveAccess {
  /**
   * Finds an archive for an action that must be permitted for each of its names of log groups, or for its
   * prefix. Any other archive looks like one that does not exist.
   * @throws Problem archive-not-found
   */
  find(request: CallerRequest, action: ArchiveAction, archiveId: string): Promise<FoundArchive>;
  /** Evaluates, archive by archive, which ones of a list the caller may read. */
  evaluate(
    request: CallerRequest,
    archives: readonly StoredArchive[],
  ): AsyncGenerator<Evaluated<StoredArchive>>;
  /**
   * Finds for which log groups of an archive an action is permitted, after it was permitted for the archive. A prefix
   * can be of some for which it is not.
   */
  findPermitted(
    request: CallerRequest,
    action: ArchiveAction,
    archive: StoredArchive,
    logGroupNames: Iterable<string>,
  ): Promise<ReadonlySet<string>>;
  /** Hides the log group that expires next in an archive, if the caller may not read it. */
  hideExpiry(request: CallerRequest, archive: StoredArchive): Promise<StoredArchive>;
}

/** The part of an archive that decides who may see it. */
type ArchiveHead = Pick<StoredArchive, 'id' | 'caller' | 'target' | 'definitionDigest'> & {
  definition: Pick<
    ArchiveDefinition,
    'logGroupNames' | 'logGroupNamePrefix' | 'destination' | 'destinationPrefix'
  >;
};

/** Makes the access to archives. */
export function makeArchiveAccess(options: {
  database: Database;
  authorizer: Authorizer;
  targets: Pick<Targets, 'look'>;
}): ArchiveAccess {
  const { database, authorizer, targets } = options;
  const owned = makeOwnedAccess<ArchiveHead>({
    authorizer,
    toOwned({ id, caller, target, definition, definitionDigest }) {
      const { logGroupNames, logGroupNamePrefix, destination, destinationPrefix } = definition;
      return {
        key: `${id} ${definitionDigest}`, // the log groups can be changed
        caller,
        target: identityNamed(targets, target),
        destination,
        prefixTemplate: destinationPrefix,
        logGroupName: logGroupNames?.[0] ?? logGroupNamePrefix ?? '',
        hasMoreLogGroups: (logGroupNames?.length ?? 1) > 1,
      };
    },
    readFurtherLogGroups: async ({ definition }, from) => ({
      logGroupNames: definition.logGroupNames?.slice(from) ?? [],
      next: undefined,
    }),
  });

  async function findPermitted(
    request: CallerRequest,
    action: ArchiveAction,
    archive: StoredArchive,
    logGroupNames: Iterable<string>,
  ) {
    // These were decided with the archive.
    const known = new Set(archive.definition.logGroupNames);
    const [names, others] = [new Set(logGroupNames), new Set(logGroupNames).difference(known)];
    const found = await owned.findLogGroups(request, action, archive, [...others]);
    return names.intersection(known).union(found);
  }

  return {
    findPermitted,

    async hideExpiry(request, archive) {
      const { summary } = archive;
      if (!summary || summary.nextExpiryOf === null) return archive;
      const { size } = await findPermitted(request, 'ReadArchive', archive, [summary.nextExpiryOf]);
      return size > 0 ? archive : { ...archive, summary: { ...summary, nextExpiryOf: null } };
    },

    async find(request, action, archiveId) {
      const archive = await findArchive(database.queries, archiveId);
      const head = archive ?? placeholder(archiveId, targets.look(undefined)?.name);
      const { isPermitted, policies } = await owned.decide(request, action, head);
      if (!archive || !isPermitted)
        throw new Problem('archive-not-found', 'No archive that you may see has this id.');
      return { archive, target: identityNamed(targets, archive.target), policies };
    },

    evaluate: (request, archives) => owned.evaluate(request, 'ReadArchive', archives),
  };
}

/** The head of an archive that does not exist, to be decided like any other. */
function placeholder(id: string, target = ''): ArchiveHead {
  return {
    id,
    caller: '',
    target,
    definitionDigest: '',
    definition: {
      logGroupNames: null,
      logGroupNamePrefix: '',
      destination: '',
      destinationPrefix: '',
    },
  };
}
