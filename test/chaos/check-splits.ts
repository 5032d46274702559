import type { Evidence, Row, Violation } from './checker.ts';

/** A split slice has children, and they are its window: no gap, no overlap, the same log group. */
export function checkSplits({ slices }: Pick<Evidence, 'slices'>): Violation[] {
  const byParent = Map.groupBy(
    slices.filter(({ parent }) => parent !== null),
    ({ jobId, parent }) => `${jobId}/${parent}`,
  );
  const unlawful = (text: string): Violation => ({ invariant: 'INV8', kind: 'lost', text });
  const known = new Map(slices.map((slice) => [`${slice.jobId}/${slice.number}`, slice]));
  return [
    ...[...byParent.keys()]
      .filter((name) => known.get(name)?.state !== 'split')
      .map((name) => unlawful(`slice ${name} has children, but is ${known.get(name)?.state}`)),
    ...[...known]
      .filter(([name, slice]) => slice.state === 'split' && !isUnion(slice, byParent.get(name)))
      .map(([name]) => unlawful(`the children of slice ${name} are not its window`)),
  ];
}

function isUnion(parent: Row<'slices'>, children: Row<'slices'>[] = []): boolean {
  const inOrder = children.toSorted((one, other) => one.fromAt - other.fromAt);
  const ends = [parent.fromAt, ...inOrder.map(({ toAt }) => toAt)];
  return (
    children.length > 1 &&
    ends.at(-1) === parent.toAt &&
    inOrder.every(
      ({ fromAt, logGroupName }, index) =>
        fromAt === ends[index] && logGroupName === parent.logGroupName,
    )
  );
}
