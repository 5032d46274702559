/** A statement of a policy. Its members may have any type. */
export interface PolicyStatement {
  /** Its Sid or its place, for texts: `"AllowPutObject"`, `number 2`. */
  name: string;
  isDeny: boolean;
  members: Readonly<Record<string, unknown>>;
}

/** A policy that was read. */
export interface PolicyDocument {
  /** The whole document, as it was written. */
  json: Readonly<Record<string, unknown>>;
  statements: readonly PolicyStatement[];
}

// S3 accepts 20 kB, KMS 32 kB. Longer: a text that only keeps us busy.
const maxCharacters = 65_536;

/**
 * Reads a policy. Returns `undefined` for what we do not understand: then nothing is known of what it
 * allows. In versions before 2012-10-17, variables are plain text.
 */
export function readPolicy(text: string): PolicyDocument | undefined {
  if (text.length > maxCharacters) return undefined;
  const json = parse(text);
  if (!isObject(json) || json.Statement === undefined) return undefined;
  if (json.Version !== '2012-10-17' && text.includes('${')) return undefined;
  const listed = [json.Statement].flat();
  if (!listed.every(isStatement)) return undefined;
  const statements = listed.map((members, at) => ({
    name:
      typeof members.Sid === 'string' && members.Sid !== ''
        ? JSON.stringify(members.Sid)
        : `number ${at + 1}`,
    isDeny: members.Effect === 'Deny',
    members,
  }));
  return { json, statements };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An object that is no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStatement(value: unknown): value is Record<string, unknown> {
  if (!isObject(value) || (value.Effect !== 'Allow' && value.Effect !== 'Deny')) return false;
  return ['Principal', 'Action', 'Resource'].every(
    (name) => value[name] === undefined || value[`Not${name}`] === undefined,
  );
}

/** The texts of an element that has one or many. */
export function textsOf(element: unknown): string[] {
  return [element ?? []].flat().map(String);
}
