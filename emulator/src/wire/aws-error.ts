import type { Answer, Refusal } from './exchange.ts';

/** Makes an error of AWS to throw. Without a message the answer has only the code. */
export function awsError(
  code: string,
  message = '',
  status = 400,
  more: Pick<Refusal, 'headers' | 'details'> = {},
): Error & Refusal {
  return Object.assign(new Error(message), { code, status, ...more });
}

/** Performs an operation and turns errors of AWS into answers. Other errors are thrown on. */
export function answerErrors(perform: () => Answer, refuse: (refusal: Refusal) => Answer): Answer {
  try {
    return perform();
  } catch (error) {
    if (isRefusal(error)) return refuse(error);
    throw error;
  }
}

/** Errors of Node have a code, but no status. */
function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && 'code' in error && 'status' in error;
}
