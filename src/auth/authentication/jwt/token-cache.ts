import type { Principal } from '../../principal.ts';

/** What a verified token is remembered by. */
interface Remembered {
  principal: Principal;
  /** Epoch ms. */
  until: number;
  /** The length of the token in characters. */
  length: number;
}

// In characters of tokens. An entry takes some six times its cost: its claims and groups, and what is cached about
// its caller. Lower: active callers are verified again at each request. Higher: large tokens fill the memory.
const maxCost = 2_097_152;
// What an entry of a short token takes, too.
const costOfEntry = 1_024;
// The replicas of a client have a token each. Lower: those of a large client are verified again at each request.
// Higher: a client that gets a new token for each request takes more memory.
const maxPerCaller = 20;

/** Makes a cache of verified tokens, by digest. Its memory is limited for each caller and in total. */
export function makeTokenCache<Entry extends Remembered>(now: () => number) {
  const entries = new Map<string, Entry>(); // oldest first
  let cost = 0;

  function remove(digest: string): void {
    const known = entries.get(digest);
    if (!known) return;
    entries.delete(digest);
    cost -= costOfEntry + known.length;
  }

  return {
    /** Returns the entry of a token unless it has expired. */
    get(digest: string): Entry | undefined {
      const known = entries.get(digest);
      return known && known.until > now() ? known : undefined;
    },
    /** Adds a token. The oldest ones of its caller are evicted first, then expired ones, then the oldest of all. */
    add(digest: string, entry: Entry): void {
      remove(digest);
      entries.set(digest, entry);
      cost += costOfEntry + entry.length;
      const own = [...entries].filter(([, { principal }]) => principal.id === entry.principal.id);
      for (const [oldest] of own.slice(0, -maxPerCaller)) remove(oldest);
      for (const [oldest, { until }] of entries) {
        if (until > now() && cost <= maxCost) return;
        remove(oldest);
      }
    },
  };
}
