/** A parsed policy document. Its members may have any type. */
export interface Policy {
  /** The original text. */
  document: string;
  statements: Statement[];
}

type Statement = Record<string, unknown>;

/**
 * A question to a policy: may this principal perform the action on the resource? Context keys
 * ignore case.
 */
export interface Question {
  /**
   * All names of the caller: service principals, or ARNs and the account. 'holder' stands for the
   * holder of a session, whose policy has no principals.
   */
  principals: { type: 'Service' | 'AWS'; names: readonly string[] } | 'holder';
  action: string;
  resource: string;
  context: Record<string, string>;
}

/** Reads a policy document. Returns undefined for text that is not JSON or has no statements. */
export function readPolicy(document: string): Policy | undefined {
  try {
    const { Statement: statements } = JSON.parse(document) as { Statement?: unknown };
    const listed = [statements].flat();
    const isSound = listed.every((one) => typeof one === 'object' && one !== null);
    return isSound ? { document, statements: listed as Statement[] } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a policy allows it: some statement allows it and none denies it. */
export function isAllowed({ statements }: Policy, question: Question): boolean {
  const effects = statements.filter((one) => applies(one, question)).map((one) => one.Effect);
  return effects.includes('Allow') && !effects.includes('Deny');
}

function applies(statement: Statement, question: Question): boolean {
  const matches = (element: string, test: (value: unknown) => boolean) =>
    statement[`Not${element}`] === undefined
      ? test(statement[element])
      : !test(statement[`Not${element}`]);
  return (
    (question.principals === 'holder' ||
      matches('Principal', (value) => isPrincipal(value, question.principals))) &&
    matches('Action', (value) =>
      texts(value).some((glob) => isLike(question.action.toLowerCase(), glob.toLowerCase())),
    ) &&
    matches('Resource', (value) => texts(value).some((glob) => isLike(question.resource, glob))) &&
    holds(statement.Condition, question.context)
  );
}

function isPrincipal(element: unknown, caller: Question['principals']): boolean {
  if (caller === 'holder' || element === '*') return true;
  if (typeof element !== 'object' || element === null) return false;
  const listed = texts((element as Record<string, unknown>)[caller.type]);
  return listed.some((name) => name === '*' || caller.names.includes(name));
}

function holds(condition: unknown, context: Record<string, string>): boolean {
  const present = new Map(
    Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]),
  );
  return Object.entries(condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys ?? {}).every(([key, wanted]) =>
      conditionHolds(operator, texts(wanted), present.get(key.toLowerCase())),
    ),
  );
}

const comparisons = new Map<string, (value: string, wanted: string) => boolean>(
  Object.entries({
    StringEquals: (value, wanted) => value === wanted,
    StringEqualsIgnoreCase: equalsIgnoringCase,
    StringLike: isLike,
    ArnEquals: isArnLike,
    ArnLike: isArnLike,
    Bool: equalsIgnoringCase,
  }),
);

function equalsIgnoringCase(value: string, wanted: string): boolean {
  return value.toLowerCase() === wanted.toLowerCase();
}

function conditionHolds(operator: string, wanted: string[], value: string | undefined): boolean {
  const [, base = '', ifExists] =
    /^(?:ForAnyValue:|ForAllValues:)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  if (base === 'Null') return wanted.includes(String(value === undefined));
  const isNegated = base.includes('Not');
  const compare = comparisons.get(base.replace('Not', ''));
  if (value === undefined) return isNegated || ifExists !== undefined;
  // Operators for numbers, dates and addresses: no request has their keys, so they were decided above.
  if (!compare) return false;
  return wanted.some((one) => compare(value, one)) !== isNegated;
}

/** Compares ARNs part by part: a `*` in the account does not match a part of the resource. */
function isArnLike(arn: string, pattern: string): boolean {
  const parts = splitArn(arn);
  const globs = splitArn(pattern);
  return parts.length === globs.length && parts.every((part, at) => isLike(part, globs[at] ?? ''));
}

function splitArn(arn: string): string[] {
  const parts = arn.split(':');
  return [...parts.slice(0, 5), parts.slice(5).join(':')];
}

const anyText = Symbol('*');
const anyCharacter = Symbol('?');
type Piece = string | typeof anyText | typeof anyCharacter;

/**
 * Matches a text against a pattern: `*` is any text, `?` any one character; `${*}`, `${?}` and `${$}`
 * are these characters themselves (documentation). Other variables are not supported, and the version
 * of the policy is ignored. Takes time in proportion to text times pattern: a regular expression with
 * many `*` would take exponential time.
 */
function isLike(value: string, glob: string): boolean {
  const pieces = readGlob(glob);
  let [at, next] = [0, 0];
  let retry: { at: number; next: number } | undefined;
  while (at < value.length) {
    const piece = pieces[next];
    if (piece === anyText) {
      next += 1;
      retry = { at, next };
    } else if (piece === anyCharacter || piece === value[at]) {
      at += 1;
      next += 1;
    } else {
      if (!retry) return false;
      retry.at += 1; // the latest `*` matches one more character
      ({ at, next } = retry);
    }
  }
  return pieces.slice(next).every((piece) => piece === anyText);
}

function readGlob(glob: string): Piece[] {
  return Array.from(glob.matchAll(/\$\{([*?$])\}|./gs), ([piece, literal]) => {
    if (literal !== undefined) return literal;
    if (piece === '*') return anyText;
    return piece === '?' ? anyCharacter : piece;
  });
}

function texts(value: unknown): string[] {
  return [value ?? []].flat().map(String);
}
