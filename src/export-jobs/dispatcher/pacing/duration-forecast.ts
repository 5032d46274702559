/**
 * The expected duration of a task, as a probability density that is constant in steps. Times are in
 * seconds.
 */
export interface DurationForecast {
  /** Where the steps begin, ascending. The last one is the end of the forecast. */
  starts: Float64Array;
  /** The probability per second within each step. */
  density: Float64Array;
  /** The probability that a task runs longer than to the start of each step. */
  survival: Float64Array;
  /** The mean and the maximum of the known durations; undefined when none is known. */
  known: { mean: number; max: number } | undefined;
}

// AWS ends a task after 24 hours.
const longest = 86_400;
// Tasks that fail do so within seconds, for example because the bucket refuses the first object.
const failuresWithin = 10;
// Below this, all durations count as equally unlikely.
const shortest = 0.5;
// What each kind of surprise weighs, in tasks. Lower: the odd task is noticed many seconds late. Higher:
// polls are spent where no task ends.
const weights = { failure: 0.25, similar: 1, other: 0.25 };
// With this number of known tasks, the weight of similar ones is twice that with many. Lower: the second
// task is expected to be like the first. Higher: tasks that are alike are polled more than needed.
const fewKnown = 10;
// A similar task is up to this many times shorter or longer than all known ones, and up to twice that
// if only one is known.
const similarFactor = 2;
// Each known task is spread over the durations of this number of neighbors. Fewer: polls follow chance
// gaps between few durations. More: two kinds of tasks blur into one.
const neighbors = 3;
// The precision of a duration. AWS's times are in milliseconds; timers are up to some milliseconds late.
const precision = 0.004;

// The steps of the densities that fall with the duration.
const fallingSteps = Array.from({ length: 31 }, (_, index) => shortest * 1.5 ** index);

/**
 * Forecasts the duration of the next task from those of similar tasks. The more are known, the surer it
 * is that the next one is like them. Otherwise it fails early, or runs much shorter or longer.
 */
export function forecastDuration(durations: readonly number[]): DurationForecast {
  const sorted = durations.toSorted((a, b) => a - b);
  const changes: { at: number; by: number }[] = [];
  let total = 0;

  function spread(from: number, to: number, weight: number): void {
    changes.push({ at: from, by: weight / (to - from) }, { at: to, by: -weight / (to - from) });
    total += weight;
  }
  // Each doubling of the duration is equally likely.
  function spreadFalling(from: number, to: number, weight: number): void {
    const inner = fallingSteps.filter((at) => at > from && at < to);
    for (const [index, end] of [...inner, to].entries()) {
      const start = inner[index - 1] ?? from;
      spread(start, end, (weight * Math.log(end / start)) / Math.log(to / from));
    }
  }

  spreadFalling(shortest, failuresWithin, weights.failure);
  spreadFalling(shortest, longest, weights.other);
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (min === undefined || max === undefined) return { ...addUp(changes, total), known: undefined };
  const similar = weights.similar * (1 + fewKnown / sorted.length);
  const factor = similarFactor * (1 + 1 / sorted.length);
  spreadFalling(Math.max(min, shortest) / factor, Math.max(max, shortest) * factor, similar);
  const width = Math.min(neighbors, sorted.length);
  const padded = padEnds(sorted, width);
  for (const [index, from] of padded.slice(0, -width).entries()) {
    spread(from, Math.max(padded[index + width] ?? from, from + precision), 1 / width);
  }
  const mean = sorted.reduce((sum, one) => sum + one, 0) / sorted.length;
  return { ...addUp(changes, total), known: { mean, max } };
}

/** Adds `count` durations on both ends, about as far apart as the known ones. */
function padEnds(sorted: readonly number[], count: number): number[] {
  const [min = 0] = sorted;
  const max = sorted.at(-1) ?? min;
  const gap = Math.max(precision, (max - min) / Math.max(1, sorted.length - 1)) / count;
  const steps = Array.from({ length: count }, (_, index) => index + 1);
  return [
    ...steps.map((step) => Math.max(0, min - step * gap)).reverse(),
    ...sorted,
    ...steps.map((step) => max + step * gap),
  ];
}

/** Adds up the changes of the density, in order of duration. */
function addUp(changes: { at: number; by: number }[], total: number) {
  changes.sort((one, other) => one.at - other.at);
  const starts: number[] = [0];
  const density: number[] = [0];
  let sum = 0;
  for (const { at, by } of changes) {
    sum += by / total;
    if (starts.at(-1) !== at) {
      starts.push(at);
      density.push(0);
    }
    density[density.length - 1] = Math.max(0, sum);
  }
  const survival = new Float64Array(starts.length);
  for (let step = starts.length - 2; step >= 0; step--) {
    const width = (starts[step + 1] ?? 0) - (starts[step] ?? 0);
    survival[step] = (survival[step + 1] ?? 0) + (density[step] ?? 0) * width;
  }
  return { starts: Float64Array.from(starts), density: Float64Array.from(density), survival };
}
