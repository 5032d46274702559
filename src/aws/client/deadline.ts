/**
 * Makes a call that is aborted after `deadlineMs`. AbortSignal.timeout would do, but it keeps its
 * timer and itself until the deadline even if the call has long been answered: at some hundred calls
 * a second that is thousands of them, and 100 µs a call for collecting them.
 */
export async function withDeadline<Answer>(
  deadlineMs: number,
  call: (options: { abortSignal: AbortSignal }) => Promise<Answer>,
): Promise<Answer> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), deadlineMs);
  try {
    return await call({ abortSignal: controller.signal });
  } finally {
    clearTimeout(timer);
  }
}
