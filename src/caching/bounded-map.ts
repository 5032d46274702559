/** Sets an entry as the newest of a Map and evicts the oldest ones: at most `maxEntries` stay. */
export function setAsNewest<Key, Value>(
  map: Map<Key, Value>,
  key: Key,
  value: Value,
  maxEntries: number,
): void {
  map.delete(key);
  map.set(key, value);
  evictOldest(map, maxEntries);
}

/** Evicts the oldest entries of a Map until it has at most `maxEntries`. */
export function evictOldest(map: Map<unknown, unknown>, maxEntries: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= maxEntries) return;
    map.delete(oldest);
  }
}
