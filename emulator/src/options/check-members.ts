import { writeExactJson } from '../wire/exact-json.ts';
import { isRecord, type Rule } from './rule.ts';

/** The rule of a member that must be given. */
export type RequiredRule = Rule & { isRequired: true };
type OptionalRule = Rule & { isRequired?: never };

/** The rules of some members, by name. */
export type Rules = Readonly<Record<string, RequiredRule | OptionalRule>>;

/** One rule for each member of a type: required exactly if the member is. */
export type RulesOf<T> = {
  readonly [Name in keyof T]-?: object extends Pick<T, Name> ? OptionalRule : RequiredRule;
};

/** Makes a member required. */
export const mandatory = (rule: Rule): RequiredRule => ({ ...rule, isRequired: true });

const maxShownCharacters = 200;

/**
 * Checks the members of an object. If a mistake were ignored, a test could pass for the wrong reason.
 * @param subject what is checked, at the beginning of a sentence
 * @param owner what has the members, within a sentence
 * @throws an error for the first mistake
 */
export function checkMembers(subject: string, owner: string, value: unknown, rules: Rules): void {
  if (!isRecord(value)) throw new Error(`${subject} must be an object.`);
  const known = new Map(Object.entries(rules));
  for (const name of Object.keys(value).filter((name) => !known.has(name))) {
    throw new Error(
      `${subject} has no member ${JSON.stringify(name)}; it has ${[...known.keys()].join(', ')}.`,
    );
  }
  for (const [name, { must, fits, isRequired }] of known) {
    const member = value[name];
    if (member === undefined && isRequired) {
      throw new Error(`${subject} needs ${name}: ${must}.`);
    }
    if (member !== undefined && !fits(member)) {
      const shown = String(writeExactJson(member)).slice(0, maxShownCharacters);
      throw new Error(`${name} of ${owner} is ${shown}, but must be ${must}.`);
    }
  }
}

/** The rule of an object with members of its own. */
export function objectWith(rules: Rules): Rule {
  const known = new Map(Object.entries(rules));
  return {
    must: `an object with ${[...known].map(([name, { must }]) => `${name} (${must})`).join(', ')}`,
    fits: (value) =>
      isRecord(value) &&
      Object.keys(value).every((name) => known.has(name)) &&
      [...known].every(([name, { fits, isRequired }]) =>
        value[name] === undefined ? !isRequired : fits(value[name]),
      ),
  };
}

/** The names of the required and of the optional members. */
export function namesOf(rules: Rules): { required: string[]; optional: string[] } {
  const names = (isRequired: boolean) =>
    Object.keys(rules).filter((name) => Boolean(rules[name]?.isRequired) === isRequired);
  return { required: names(true), optional: names(false) };
}
