import { stringify as stringifyYaml } from 'yaml';

import { exactDigits } from '#validation/int64.ts';

/** The document as JSON text, with exact integers. */
export function toJsonText(document: unknown): string {
  const exact = (_key: string, value: unknown) =>
    typeof value === 'bigint' ? exactDigits(value) : value;
  return `${JSON.stringify(document, exact, 2)}\n`;
}

/** The same document as YAML. */
export function toYamlText(jsonText: string): string {
  const document = JSON.parse(jsonText, keepDigits);
  const compat = 'yaml-1.1'; // otherwise its parsers read `off` as false, and dates not as text
  return stringifyYaml(document, { lineWidth: 0, aliasDuplicateObjects: false, compat });
}

// JSON.parse of Node passes the source text to the reviver; the types of the library omit it.
function keepDigits(_key: string, value: unknown, context?: { source: string }): unknown {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && context
    ? BigInt(context.source)
    : value;
}
