/** Makes the error for an answer that lacks a member that AWS always sends, or has it with a wrong type. */
export function unexpectedAnswer({ $metadata }: { $metadata: object }, member: string): Error {
  const error = new Error(`AWS answered without the member ${member}, or with one of a wrong type`);
  return Object.assign(error, { name: 'UnexpectedAnswer', $metadata });
}
