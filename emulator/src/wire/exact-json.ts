declare global {
  interface JSON {
    parse(
      text: string,
      reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
    ): unknown;
    rawJSON(text: string): unknown;
  }
}

const mayHoldLongDigits = /\d{16}/;
// Longer ones fit no type of AWS, and a bigint takes more than linear time to make.
const integer = /^-?\d{1,20}$/;

/**
 * Reads JSON without rounding: an integer of at most 20 digits that a double cannot hold comes out as
 * a bigint. Throws SyntaxError on broken JSON.
 */
export function readExactJson(text: string): unknown {
  // The reviver is called for every member; nearly no body needs it.
  if (!mayHoldLongDigits.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && source && integer.test(source)
      ? BigInt(source)
      : value,
  );
}

/** Writes JSON in which every bigint is a plain integer with all its digits. */
export function writeExactJson(value: unknown): string {
  return JSON.stringify(value, (_key, member) =>
    typeof member === 'bigint' ? JSON.rawJSON(member.toString()) : member,
  );
}
