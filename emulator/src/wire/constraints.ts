/** Limits of a text as the service model states them; lengths are in UTF-16 units. */
export interface TextLimits {
  min?: number;
  max?: number;
  /** As AWS prints it, without anchors; the whole text must match. */
  pattern?: string;
  values?: readonly string[];
}

const wholePatterns = new Map<string, RegExp>();

function wholePattern(pattern: string): RegExp {
  const known = wholePatterns.get(pattern) ?? new RegExp(`^(?:${pattern})$`, 'u');
  wholePatterns.set(pattern, known);
  return known;
}

/** One violation in AWS's template (recorded on CloudWatch Logs; a missing value reads `null`). */
export function violation(value: unknown, path: string, constraint: string): string {
  const shown = value === undefined ? 'null' : `'${value}'`;
  return `Value ${shown} at '${path}' failed to satisfy constraint: ${constraint}`;
}

/** The violations of a length: of a text in UTF-16 units, of a list in members. */
export function lengthViolations(
  value: { length: number },
  path: string,
  { min = 0, max = Infinity }: { min?: number; max?: number },
): string[] {
  const found: string[] = [];
  const wants = (relation: string, bound: number) =>
    found.push(
      violation(value, path, `Member must have length ${relation} than or equal to ${bound}`),
    );
  if (value.length < min) wants('greater', min);
  if (value.length > max) wants('less', max);
  return found;
}

/** The violations of a text; enum values are printed in the order given (AWS's is unverified). */
export function textViolations(value: string, path: string, limits: TextLimits): string[] {
  const found = lengthViolations(value, path, limits);
  const { pattern, values } = limits;
  if (pattern !== undefined && !wholePattern(pattern).test(value)) {
    found.push(
      violation(value, path, `Member must satisfy regular expression pattern: ${pattern}`),
    );
  }
  if (values && !values.includes(value)) {
    found.push(
      violation(value, path, `Member must satisfy enum value set: [${values.join(', ')}]`),
    );
  }
  return found;
}

/** The violations of a whole number. */
export function rangeViolations(
  value: bigint,
  path: string,
  { min, max }: { min?: number; max?: number },
): string[] {
  if (min !== undefined && value < min) {
    return [violation(value, path, `Member must have value greater than or equal to ${min}`)];
  }
  if (max !== undefined && value > max) {
    return [violation(value, path, `Member must have value less than or equal to ${max}`)];
  }
  return [];
}

/** The message over all violations of one request. More than one at once is unverified for Logs. */
export function validationMessage(violations: readonly string[]): string {
  const errors = violations.length === 1 ? 'error' : 'errors';
  return `${violations.length} validation ${errors} detected: ${violations.join('; ')}`;
}
