const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

type XmlValue = string | number | boolean | undefined | XmlNode | XmlNode[] | string[];

/**
 * Content by element name. An array repeats the element, undefined omits it. Attributes may follow the
 * name.
 */
export interface XmlNode {
  [element: string]: XmlValue;
}

/** Writes an XML document with one root element. */
export function writeXml(root: string, content: XmlValue, namespace?: string): string {
  const xmlns = namespace === undefined ? '' : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${xmlns}>${writeXmlContent(content)}</${root}>`;
}

/**
 * Returns the text of the first element of that name, or undefined. The requests to S3 need no
 * more.
 */
export function readXmlElement(xml: string, element: string): string | undefined {
  return readXmlElements(xml, element)[0]?.trim();
}

/** Returns the texts of all elements of that name, in one pass over the document. */
export function readXmlElements(xml: string, element: string): string[] {
  return xml.split('<').flatMap((piece) => {
    const tagEnd = piece.indexOf('>');
    const [name] = piece.slice(0, Math.max(0, tagEnd)).split(/\s/, 1);
    return name === element ? [readText(piece.slice(tagEnd + 1))] : [];
  });
}

const characters = new Map(
  Object.entries(entities).map(([character, entity]) => [entity, character]),
);

function readText(text: string): string {
  return text.replace(/&(?:#x?[0-9a-fA-F]{1,6}|\w{2,4});/g, (entity) => {
    const [, hex, digits] = /^&#(x?)(\w+);$/.exec(entity) ?? [];
    if (digits === undefined) return characters.get(entity) ?? entity;
    const code = Number.parseInt(digits, hex ? 16 : 10);
    return code <= 0x10ffff ? String.fromCodePoint(code) : entity;
  });
}

/** Writes the content of an element, without a tag around it. */
export function writeXmlContent(value: XmlValue): string {
  if (typeof value !== 'object') {
    return String(value ?? '').replace(/[&<>"']/g, (character) => entities[character] ?? '');
  }
  return Object.entries(value)
    .map(([element, content]) => writeElement(element, content))
    .join('');
}

function writeElement(element: string, content: XmlValue): string {
  if (content === undefined) return '';
  const contents = Array.isArray(content) ? content : [content];
  const [name] = element.split(' ', 1);
  return contents.map((one) => `<${element}>${writeXmlContent(one)}</${name}>`).join('');
}
