/** Counts the turns of the event loop, until it is disposed of. */
export function countTurns(): { count: number } & Disposable {
  let isOver = false;
  const turns = {
    count: 0,
    [Symbol.dispose]() {
      isOver = true;
    },
  };
  const turn = () => {
    if (isOver) return;
    turns.count += 1;
    setImmediate(turn);
  };
  setImmediate(turn);
  return turns;
}
