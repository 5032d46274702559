import { vi } from 'vitest';

/** Counts the destination prefixes of partitions that begin at an instant, epoch ms: each one has this time. */
export function countPrefixes(fromAt: number): { readonly rendered: number } & Disposable {
  const { toISOString } = Date.prototype;
  let rendered = 0;
  const spy = vi.spyOn(Date.prototype, 'toISOString').mockImplementation(function (this: Date) {
    if (this.getTime() === fromAt) rendered += 1;
    return toISOString.call(this);
  });
  return {
    get rendered() {
      return rendered;
    },
    [Symbol.dispose]: () => spy.mockRestore(),
  };
}
