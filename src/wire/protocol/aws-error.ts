/** An error in the words of AWS. Every part of it is public. */
export interface AwsError extends Error {
  code: string;
  status: number;
  /** The text for the caller; some errors of AWS have none. */
  text: string | undefined;
}

const awsErrors = new WeakSet<Error>();

/** Makes an error in the words of AWS, to be thrown. CloudWatch Logs answers almost every error with 400. */
export function awsError(code: string, text?: string, status = 400): AwsError {
  const error = Object.assign(new Error(text ?? code), { name: 'AwsError', code, text, status });
  awsErrors.add(error);
  return error;
}

/** Whether `awsError` has made this error. */
export function isAwsError(error: Error): error is AwsError {
  return awsErrors.has(error);
}
