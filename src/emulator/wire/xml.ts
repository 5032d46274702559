const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

type XmlValue = string | number | boolean | undefined | XmlNode | XmlNode[] | string[];

/** Element names with their content; an array repeats the element, undefined leaves it out. */
export interface XmlNode {
  [element: string]: XmlValue;
}

/** Writes one root element with its namespace, as a document. */
export function writeXml(root: string, content: XmlValue, namespace?: string): string {
  const xmlns = namespace === undefined ? '' : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${xmlns}>${writeContent(content)}</${root}>`;
}

/** The text of the first element of that name, or undefined: enough for the bodies S3 is sent. */
export function readXmlElement(xml: string, element: string): string | undefined {
  const [, text] = new RegExp(`<${element}(?:\\s[^>]*)?>([^<]*)</${element}>`).exec(xml) ?? [];
  return text?.trim();
}

function writeContent(value: XmlValue): string {
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
  return contents.map((one) => `<${element}>${writeContent(one)}</${element}>`).join('');
}
