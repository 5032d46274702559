/** A mistake of whoever started the process, told in one sentence and without a stack. */
export function configError(text: string, cause?: unknown): Error {
  return Object.assign(new Error(text, { cause }), { name: 'ConfigError' });
}
