/** An error in AWS's words: a code, a message for people (AWS leaves it out at times), a status. */
export interface AwsError extends Error {
  awsCode: string;
  status: number;
}

/** Makes an error for `throw`; without a message the answer carries only the code. */
export function awsError(awsCode: string, message = '', status = 400): AwsError {
  return Object.assign(new Error(message), { awsCode, status });
}

/** Tells an answer AWS would give from a defect of the emulator. */
export function isAwsError(error: unknown): error is AwsError {
  return error instanceof Error && 'awsCode' in error;
}
