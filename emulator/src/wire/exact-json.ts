declare global {
  interface JSON {
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
    ): unknown;
    rawJSON(text: string): unknown;
  }
}

const longDigits = /\d{16}/;
// Longer integers fit no type of AWS, and making a bigint takes more than linear time.
const integer = /^-?\d{1,20}$/;

/**
 * Reads JSON without rounding. An integer of at most 20 digits that a double cannot hold becomes a
 * bigint.
 * @throws SyntaxError for invalid JSON
 */
export function readExactJson(text: string): unknown {
  // The reviver runs for every member, and few bodies need it.
  if (!longDigits.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && source && integer.test(source)
      ? BigInt(source)
      : value,
  );
}

/** Writes JSON. A bigint becomes an integer with all its digits. */
export function writeExactJson(value: unknown): string {
  return JSON.stringify(value, (_key, member) =>
    typeof member === 'bigint' ? JSON.rawJSON(member.toString()) : member,
  );
}
