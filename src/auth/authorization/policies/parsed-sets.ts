import type { Cedar } from './parse-policies.ts';

/** The texts of policies, by id. */
type PolicyTexts = Readonly<Record<string, string>>;

/** The policy sets that Cedar has parsed. Their memory is outside of the heap of JavaScript, and never shrinks. */
export interface ParsedSets {
  /** Returns the name of a set in Cedar, which parses it if it is not cached. @throws the error of Cedar */
  nameOf(key: string, texts: () => PolicyTexts): string;
  /** The same for the set of all policies of a version. It is kept apart, so that it evicts no other set. */
  nameOfAll(version: number, texts: () => PolicyTexts): string;
}

// All sets together, of all versions. A policy takes some 5 kB in Cedar, and 0.3 ms to parse. Lower: with many teams,
// sets are parsed again and again. Higher: they take the memory of a small container.
const maxPolicies = 5_000;

/** Makes the cache of parsed sets. `prefix` is unique in this process: Cedar stores policy sets by name. */
export function makeParsedSets(cedar: Cedar, prefix: string): ParsedSets {
  const sets = new Map<string, { name: string; policies: number }>(); // the one unused for longest first
  const freeNames: string[] = [];
  let policies = 0;
  let names = 0;
  let versionOfAll: number | undefined;

  function parse(name: string, staticPolicies: PolicyTexts): void {
    const answer = cedar.preparsePolicySet(name, { staticPolicies });
    if (answer.type === 'failure') throw new Error(answer.errors[0]?.message);
  }

  function evict(key: string, set: { name: string; policies: number }): void {
    parse(set.name, {}); // Cedar cannot forget a name; it uses the memory of an emptied set again
    freeNames.push(set.name);
    sets.delete(key);
    policies -= set.policies;
  }

  return {
    nameOf(key, texts) {
      const known = sets.get(key);
      if (known) {
        sets.delete(key);
        sets.set(key, known);
        return known.name;
      }
      const added = texts();
      const count = Object.keys(added).length;
      for (const [oldest, set] of sets) {
        if (policies + count <= maxPolicies) break;
        evict(oldest, set);
      }
      const name = freeNames.pop() ?? `${prefix}-${names++}`;
      parse(name, added);
      sets.set(key, { name, policies: count });
      policies += count;
      return name;
    },
    nameOfAll(version, texts) {
      const name = `${prefix}-all`;
      if (version !== versionOfAll) parse(name, texts());
      versionOfAll = version;
      return name;
    },
  };
}
