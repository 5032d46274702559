import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs';

import { builtInPolicy } from './built-in-policy.ts';
import type { PolicyFile } from './policy-files.ts';
import { schemaText } from './schema.ts';

/** The Cedar binding. */
export type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs');

/** Valid policies. */
export interface ParsedPolicies {
  /** The text of each policy by id. */
  byId: Map<string, string>;
  /** Warnings about policies that are probably mistakes, as sentences. */
  warnings: string[];
}

/**
 * Parses policies and validates them against the schema. If there are any, it adds the built-in one.
 * @throws an error whose message names file and line
 */
export function parsePolicies(cedar: Cedar, files: readonly PolicyFile[]): ParsedPolicies {
  const fileOf = new Map([[builtInPolicy.id, 'the gateway']]);
  const parsed: ParsedPolicies = { byId: new Map(), warnings: [] };
  for (const file of files) {
    const { policies, warnings } = parseFile(cedar, file);
    for (const { id, text } of policies) {
      const other = fileOf.get(id);
      if (other !== undefined) {
        const place = placeOf(file, file.text.indexOf(text));
        throw new Error(
          `${place}: the policy id ${JSON.stringify(id)} already belongs to a policy of ${other}.`,
        );
      }
      fileOf.set(id, file.name);
      parsed.byId.set(id, text);
    }
    parsed.warnings.push(...warnings);
  }
  if (parsed.byId.size > 0) parsed.byId.set(builtInPolicy.id, builtInPolicy.text);
  return parsed;
}

interface ParsedFile {
  policies: { id: string; text: string }[];
  warnings: string[];
}

function parseFile(cedar: Cedar, file: PolicyFile): ParsedFile {
  const parts = cedar.policySetTextToParts(file.text);
  if (parts.type === 'failure') throw new Error(sentence(file, parts.errors));
  const [template] = parts.policy_templates;
  if (template !== undefined) {
    throw new Error(
      `${placeOf(file, file.text.indexOf(template))}: templates (?principal, ?resource) are not supported; name the principal or the group.`,
    );
  }
  const checked = cedar.validate({
    validationSettings: { mode: 'strict' },
    schema: schemaText,
    policies: { staticPolicies: file.text },
  });
  if (checked.type === 'failure') throw new Error(sentence(file, checked.errors));
  const errors = checked.validationErrors.map(({ error }) => error);
  if (errors.length > 0) throw new Error(sentence(file, errors));
  return {
    policies: inFileOrder(parts.policies).map((text, index) => ({
      id: idOf(cedar, text) || `${file.name}#${index + 1}`,
      text,
    })),
    warnings: checked.validationWarnings.map(({ error }) => sentence(file, [error])),
  };
}

// Cedar sorts policies by their generated names, so policy10 comes before policy2.
function inFileOrder(parts: readonly string[]): string[] {
  const names = parts.map((_, index) => `policy${index}`);
  const sorted = names.toSorted();
  return names.map((name) => parts[sorted.indexOf(name)] ?? '');
}

function idOf(cedar: Cedar, text: string): string | undefined {
  const answer = cedar.policyToJson(text);
  return answer.type === 'success' ? answer.json.annotations?.id : undefined;
}

// Names the first error only: people fix policies one by one.
function sentence(file: PolicyFile, errors: readonly DetailedError[]): string {
  const startOf = ({ sourceLocations: [place] = [] }: DetailedError) => place?.start ?? 0;
  const [first] = errors.toSorted((one, other) => startOf(one) - startOf(other));
  if (!first) return `${file.name}: Cedar refuses the file without a reason.`;
  const message = withoutPolicy(first.message);
  const text = message.startsWith(parseFailure) ? message.slice(parseFailure.length) : message;
  const hint = first.help && withoutPolicy(first.help);
  const offset = Buffer.from(file.text).subarray(0, startOf(first)).toString().length;
  return `${placeOf(file, offset)}: ${text}${hint ? ` (${hint})` : ''}.`;
}

const parseFailure = 'failed to parse policies from string: ';
const withoutPolicy = (text: string) => text.replace(/^for policy `[^`]*`, /, '');

function placeOf({ name, text }: PolicyFile, offset: number): string {
  return `${name}, line ${text.slice(0, offset).split('\n').length}`;
}
