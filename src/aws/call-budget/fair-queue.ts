/** A queue that serves its callers round-robin. The items of one caller keep their order. */
export interface FairQueue<Item> {
  push(caller: string, item: Item): void;
  /** Removes and returns the next item. */
  shift(): Item | undefined;
  remove(caller: string, item: Item): void;
  size(): number;
  /** The most items that are served before the next one this caller adds. */
  aheadOf(caller: string): number;
}

/** Makes such a queue. It keeps no caller without items. Its user limits its length. */
export function makeFairQueue<Item>(): FairQueue<Item> {
  const byCaller = new Map<string, Item[]>(); // the next caller to serve is first

  const setItems = (caller: string, items: Item[]) => {
    if (items.length === 0) byCaller.delete(caller);
    else byCaller.set(caller, items);
  };

  return {
    push: (caller, item) => setItems(caller, [...(byCaller.get(caller) ?? []), item]),
    shift() {
      for (const [caller, [item, ...rest]] of byCaller) {
        byCaller.delete(caller); // it goes to the end if it has more items
        setItems(caller, rest);
        return item;
      }
      return undefined;
    },
    remove(caller, item) {
      const items = byCaller.get(caller) ?? [];
      setItems(
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
