/** Limits of a text in the service model. Lengths are in UTF-16 units. */
export interface TextLimits {
  min?: number;
  max?: number;
  /** As AWS prints it, without anchors. The whole text must match. */
  pattern?: string;
  values?: readonly string[];
}

const wholePatterns = new Map<string, RegExp>();

function wholePattern(pattern: string): RegExp {
  const known = wholePatterns.get(pattern) ?? new RegExp(`^(?:${pattern})$`, 'u');
  wholePatterns.set(pattern, known);
  return known;
}

/** Writes one violation in AWS's words (recorded for CloudWatch Logs). A missing value is `null`. */
export function violation(value: unknown, path: string, constraint: string): string {
  const shown = value === undefined ? 'null' : `'${value}'`;
  return `Value ${shown} at '${path}' failed to satisfy constraint: ${constraint}`;
}

/** Returns the violations of a length: UTF-16 units of a text, or members of a list. */
export function lengthViolations(
  value: { length: number },
  path: string,
  { min = 0, max = Infinity }: { min?: number; max?: number },
): string[] {
  const found: string[] = [];
  const report = (relation: string, bound: number) =>
    found.push(
      violation(value, path, `Member must have length ${relation} than or equal to ${bound}`),
    );
  if (value.length < min) report('greater', min);
  if (value.length > max) report('less', max);
  return found;
}

/** Returns the violations of a text. The order of printed enum values is unverified. */
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

/** Returns the violations of a whole number. */
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

/**
 * Writes the message for all violations of a request. More than one is unverified for CloudWatch
 * Logs.
 */
export function validationMessage(violations: readonly string[]): string {
  const errors = violations.length === 1 ? 'error' : 'errors';
  return `${violations.length} validation ${errors} detected: ${violations.join('; ')}`;
}
