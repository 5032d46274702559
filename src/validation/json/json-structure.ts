import { inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';

const { bodyValues, bodyDepth } = statedLimits;

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openBrace, openBracket, closeBrace, closeBracket] = [0x7b, 0x5b, 0x7d, 0x5d];

/**
 * Refuses a JSON text with too many members and items or levels before memory is allocated for them. It
 * reads each byte once. It does not check whether the text is well-formed.
 * @throws Problem body-too-large
 */
export function refuseLargeStructure(bytes: Buffer): void {
  let values = 0;
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === quote) {
      at = endOfText(bytes, at + 1);
    } else if (byte === comma) {
      values += 1;
    } else if (byte === openBrace || byte === openBracket) {
      values += 1;
      depth += 1;
    } else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1;
    }
    if (values > bodyValues) throw tooLarge(`${inDigits(bodyValues)} members and array items`);
    if (depth > bodyDepth) throw tooLarge(`${bodyDepth} levels of nesting`);
  }
}

/** The index of the quote that ends the text; the length of the bytes if there is none. */
function endOfText(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at;
}

function tooLarge(limit: string): Problem {
  return new Problem('body-too-large', `The body has more than ${limit}.`);
}
