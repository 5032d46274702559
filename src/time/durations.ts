// In milliseconds.
export const secondMs = 1_000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
/** A day of 24 hours. A day of a calendar can be shorter or longer. */
export const dayMs = 24 * hourMs;
