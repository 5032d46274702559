import { setAsNewest } from '#caching/bounded-map.ts';
import { inChunks } from '#paging/in-chunks.ts';
import type { Principal } from '../principal.ts';
import type { Action } from './action.ts';
import type {
  Authorizer,
  CallerRequest,
  Decision,
  Question,
  TargetIdentity,
} from './authorizer.ts';

/**
 * How many decisions are made without a pause. Each takes some tenths of a millisecond. More: other
 * requests wait.
 */
export const decisionsAtOnce = 20;

/** What a caller has created, as the policies get it: a job or an archive. */
export interface Owned {
  /** Identifies it with its log groups: an answer about the further ones is remembered by it. */
  key: string;
  caller: string;
  target: TargetIdentity;
  destination: string;
  /** The template of its destination prefixes. */
  prefixTemplate: string;
  /** The first of its log groups, or their prefix. */
  logGroupName: string;
  hasMoreLogGroups: boolean;
}

/** Reads a page of the log groups after the first one. `next` is absent at the end. */
export type ReadFurtherLogGroups<Head> = (
  head: Head,
  from: number,
) => Promise<{ logGroupNames: string[]; next: number | undefined }>;

/** One of a list, and whether the caller may see it. */
export interface Evaluated<Head> {
  head: Head;
  isPermitted: boolean;
  /** The number of decisions that this took. */
  decisions: number;
}

/** Decides about what callers have created. It is permitted if it is for each of its log groups. */
export interface OwnedAccess<Head> {
  /** Decides an action on one of them. The decision is that about its first log group. */
  decide(request: CallerRequest, action: Action, head: Head): Promise<Decision>;
  /** Evaluates, one by one, which of a list are permitted. */
  evaluate<One extends Head>(
    request: CallerRequest,
    action: Action,
    heads: readonly One[],
  ): AsyncGenerator<Evaluated<One>>;
  /** Finds for which of some log groups an action on one of them is permitted. */
  findLogGroups(
    request: CallerRequest,
    action: Action,
    head: Head,
    logGroupNames: readonly string[],
  ): Promise<Set<string>>;
}

// For each caller; an answer is some hundred bytes. Fewer: a job of a thousand log groups is decided
// over and over. More: many callers fill the memory.
const maxRemembered = 1_000;

type Answer = Pick<Evaluated<unknown>, 'isPermitted' | 'decisions'>;

/** Answers about further log groups. They are valid for one version of the policies. */
interface Memory {
  version: number;
  answers: Map<string, Promise<Answer>>;
}

const noFurtherDecision: Answer = { isPermitted: true, decisions: 0 };

/** Makes the access to what callers have created. */
export function makeOwnedAccess<Head>(options: {
  authorizer: Authorizer;
  toOwned: (head: Head) => Owned;
  readFurtherLogGroups: ReadFurtherLogGroups<Head>;
}): OwnedAccess<Head> {
  const { authorizer, toOwned, readFurtherLogGroups } = options;
  const memories = new WeakMap<Principal, Memory>();

  function toQuestion(
    request: CallerRequest,
    action: Action,
    owned: Owned,
    logGroupName = owned.logGroupName,
  ): Question {
    const { caller, target, destination, prefixTemplate } = owned;
    const { name, accountId, region } = target;
    return {
      action,
      resource: { target: { name, accountId, region }, logGroupName },
      context: {
        destination,
        destinationPrefix: prefixTemplate,
        isOwn: caller === request.principal.id,
      },
    };
  }

  async function evaluateFurtherLogGroups(request: CallerRequest, action: Action, head: Head) {
    const owned = toOwned(head);
    let decisions = 0;
    for (let next: number | undefined = 1; next !== undefined; ) {
      const page: Awaited<ReturnType<typeof readFurtherLogGroups>> = await readFurtherLogGroups(
        head,
        next,
      );
      for await (const names of inChunks(page.logGroupNames, decisionsAtOnce)) {
        decisions += names.length;
        const permitted = authorizer.filterPermitted(request, names, (name) =>
          toQuestion(request, action, owned, name),
        );
        if (permitted.length < names.length) return { isPermitted: false, decisions };
      }
      next = page.next;
    }
    return { isPermitted: true, decisions };
  }

  function memoryOf(principal: Principal): Memory['answers'] {
    const version = authorizer.version();
    const known = memories.get(principal);
    if (known?.version === version) return known.answers;
    const memory: Memory = { version, answers: new Map() };
    memories.set(principal, memory);
    return memory.answers;
  }

  /** Evaluates all log groups after the first one, and remembers the answer: they do not change. */
  async function evaluateRest(request: CallerRequest, action: Action, head: Head): Promise<Answer> {
    const owned = toOwned(head);
    if (!owned.hasMoreLogGroups || authorizer.isOpen) return noFurtherDecision;
    const answers = memoryOf(request.principal);
    const key = JSON.stringify([action, owned.key, owned.target]); // the account of a target can change
    const known = answers.get(key);
    if (known) return { ...(await known), decisions: 0 };
    const answer = evaluateFurtherLogGroups(request, action, head);
    setAsNewest(answers, key, answer, maxRemembered);
    answer.catch(() => answers.delete(key)); // a failure, such as of the database, is no answer
    return answer;
  }

  return {
    async decide(request, action, head) {
      const first = authorizer.decide(request, toQuestion(request, action, toOwned(head)));
      if (!first.isPermitted) return first;
      const { isPermitted } = await evaluateRest(request, action, head);
      return { ...first, isPermitted };
    },

    async findLogGroups(request, action, head, logGroupNames) {
      if (authorizer.isOpen) return new Set(logGroupNames);
      const owned = toOwned(head);
      const permitted = new Set<string>();
      for await (const names of inChunks(logGroupNames, decisionsAtOnce)) {
        const found = authorizer.filterPermitted(request, names, (name) =>
          toQuestion(request, action, owned, name),
        );
        for (const name of found) permitted.add(name);
      }
      return permitted;
    },

    async *evaluate(request, action, heads) {
      for await (const chunk of inChunks(heads, decisionsAtOnce)) {
        const permitted = new Set(
          authorizer.filterPermitted(request, chunk, (head) =>
            toQuestion(request, action, toOwned(head)),
          ),
        );
        for (const head of chunk) {
          if (!permitted.has(head)) yield { head, isPermitted: false, decisions: 1 };
          else {
            const { isPermitted, decisions } = await evaluateRest(request, action, head);
            yield { head, isPermitted, decisions: decisions + 1 };
          }
        }
      }
    },
  };
}
