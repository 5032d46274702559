const anyText = Symbol('*');
const anyCharacter = Symbol('?');
type Piece = string | typeof anyText | typeof anyCharacter;

/**
 * Matches a text against a pattern: `*` is any text, `?` any one character; `${*}`, `${?}` and `${$}`
 * are these characters themselves (documentation). Other variables are not supported, and the version
 * of the policy is ignored. Takes time in proportion to text times pattern: a regular expression with
 * many `*` would take exponential time.
 */
export function isLike(value: string, glob: string): boolean {
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

/** Compares ARNs part by part: a `*` in the account does not match a part of the resource. */
export function isArnLike(arn: string, pattern: string): boolean {
  const parts = splitArn(arn);
  const globs = splitArn(pattern);
  return parts.length === globs.length && parts.every((part, at) => isLike(part, globs[at] ?? ''));
}

function splitArn(arn: string): string[] {
  const parts = arn.split(':');
  return [...parts.slice(0, 5), parts.slice(5).join(':')];
}

function readGlob(glob: string): Piece[] {
  return Array.from(glob.matchAll(/\$\{([*?$])\}|./gs), ([piece, literal]) => {
    if (literal !== undefined) return literal;
    if (piece === '*') return anyText;
    return piece === '?' ? anyCharacter : piece;
  });
}
