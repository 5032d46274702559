// Controls move the cursor or change colours. Formats reverse the direction of text or hide it. Lone
// surrogates, and separators of lines and paragraphs, break a line.
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Writes characters that could control a terminal as JSON does. Names of others may contain any. */
export function cleanText(text: string): string {
  return text.replaceAll(unsafe, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

const wide =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;
const mark = /^\p{M}$/u;

/** The cells that a character takes in a terminal. */
const cellsOf = (character: string) => (mark.test(character) ? 0 : wide.test(character) ? 2 : 1);

/** The cells that a text takes in a terminal. */
export const widthOf = (text: string): number =>
  [...text].reduce((sum, character) => sum + cellsOf(character), 0);

/** Shortens a text to a width, with an ellipsis. */
export function shorten(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let [kept, cells] = ['', 1];
  for (const character of text) {
    cells += cellsOf(character);
    if (cells > width) break;
    kept += character;
  }
  return width > 0 ? `${kept}…` : '';
}

/** Breaks a text into lines of a width, with its indentation. Longer words stay whole, so that they can be copied. */
export function wrap(text: string, width: number): string[] {
  const indent = ' '.repeat(text.length - text.trimStart().length);
  const lines: string[] = [];
  let line = '';
  for (const word of text.trimStart().split(' ')) {
    const longer = line === '' ? indent + word : `${line} ${word}`;
    if (line === '' || widthOf(longer) <= width) {
      line = longer;
    } else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line];
}
