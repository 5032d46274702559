/** The texts of a page of Markdown, without code: paragraphs, list items, headings and cells of tables. */
export function textsOf(page: string): string[] {
  return page
    .replaceAll(/^```.*?^```$/gms, '')
    .split('\n')
    .flatMap((line) => (line.startsWith('|') ? line.split(/(?<!\\)\|/) : [line]))
    .map((text) =>
      text
        .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replaceAll(/\*\*|^\s*(?:[-*]|\d+\.|#+|>)\s+/g, '')
        .trim(),
    )
    .filter((text) => /\p{L}/u.test(text));
}
