/** Whether this is the short form: it checks that every figure still works. Its figures mean nothing. */
export const isShort = process.argv.includes('--short');
