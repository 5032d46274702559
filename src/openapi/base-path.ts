import { withBasePath } from '#problems/problem.ts';

/**
 * Adds the base path to a document: to its server, and to references in examples. A reference is a `type`,
 * a `url` or a member of `links` that begins with a slash. The texts of problems contain paths, too.
 */
export function atBasePath<Document extends object>(
  document: Document,
  basePath: string,
): Document {
  if (basePath === '') return document;
  return {
    ...rebase(document, basePath),
    servers: [{ url: basePath, description: 'This service.' }],
  };
}

function rebase<Value>(value: Value, basePath: string, isReference = false): Value {
  if (typeof value === 'string') {
    return (isReference && value.startsWith('/') ? basePath + value : value) as Value;
  }
  if (Array.isArray(value)) return value.map((item) => rebase(item, basePath)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => {
    if (key === 'links') return [key, rebaseAll(member, basePath)];
    if (typeof member === 'string' && (key === 'remedy' || key === 'explanation')) {
      return [key, withBasePath(member, basePath)];
    }
    return [key, rebase(member, basePath, key === 'type' || key === 'url')];
  });
  return Object.fromEntries(members);
}

function rebaseAll(links: object, basePath: string): object {
  const rebased = Object.entries(links).map(([key, link]) => [key, rebase(link, basePath, true)]);
  return Object.fromEntries(rebased);
}
