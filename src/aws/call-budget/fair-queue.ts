/** A queue in which callers take turns, and each caller's own items keep their order. */
export interface FairQueue<Item> {
  push(caller: string, item: Item): void;
  /** Takes the next one out. */
  shift(): Item | undefined;
  remove(caller: string, item: Item): void;
  size(): number;
  /** At most how many are served before the next one that this caller adds. */
  aheadOf(caller: string): number;
}

/** Makes such a queue. It remembers no caller that has nothing in it; how much is in it, its user bounds. */
export function makeFairQueue<Item>(): FairQueue<Item> {
  const byCaller = new Map<string, Item[]>(); // in the order of their turns

  const keep = (caller: string, items: Item[]) => {
    if (items.length === 0) byCaller.delete(caller);
    else byCaller.set(caller, items);
  };

  return {
    push: (caller, item) => keep(caller, [...(byCaller.get(caller) ?? []), item]),
    shift() {
      for (const [caller, [item, ...rest]] of byCaller) {
        byCaller.delete(caller); // to the end, if it has more
        keep(caller, rest);
        return item;
      }
      return undefined;
    },
    remove(caller, item) {
      const items = byCaller.get(caller) ?? [];
      keep(
        caller,
        items.filter((other) => other !== item),
      );
    },
    size: () => byCaller.values().reduce((sum, items) => sum + items.length, 0),
    aheadOf(caller) {
      const own = byCaller.get(caller)?.length ?? 0;
      let ahead = 0;
      for (const items of byCaller.values()) ahead += Math.min(items.length, own + 1);
      return ahead;
    },
  };
}
