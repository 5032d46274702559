// Preloaded into a replica with --import: its clock is wrong and jumps. Monotonic clocks
// (performance.now, timers) stay correct, as they do when a system clock is adjusted.

const { CLOCK_SHIFTS_MS = '0', CLOCK_JUMPS_EVERY_MS = '20000' } = process.env;
const shiftsMs = CLOCK_SHIFTS_MS.split(',').map(Number);
const rightNow = Date.now;
let jumps = 0;
const now = () => rightNow() + (shiftsMs[jumps % shiftsMs.length] ?? 0);

setInterval(() => {
  jumps += 1;
}, Number(CLOCK_JUMPS_EVERY_MS)).unref();

Date.now = now;
globalThis.Date = new Proxy(Date, {
  construct: (target, values, newTarget) =>
    Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget),
});
