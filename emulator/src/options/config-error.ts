/**
 * Makes an error about a wrong setting. A process that meets it prints the sentence without a
 * stack.
 */
export function configError(sentence: string): Error {
  return Object.assign(new Error(sentence), { name: 'ConfigError' });
}
