import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs';

import { builtInPolicy } from './built-in-policy.ts';
import type { PolicyFile } from './policy-files.ts';
import { schemaText } from './schema.ts';

/** Cedar, as far as it is used. */
export type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs');

/** Policies that can be put in force. */
export interface ParsedPolicies {
  /** The text of each, by its id. */
  byId: Map<string, string>;
  /** What they can hardly be meant to say, in sentences. */
  warnings: string[];
}

/**
 * Parses policies and holds them to the schema. Where there are any, the built-in one is beside them.
 * @throws an error whose message is a sentence with file and line
 */
export function parsePolicies(cedar: Cedar, files: readonly PolicyFile[]): ParsedPolicies {
  const fileOf = new Map([[builtInPolicy.id, 'the service itself']]);
  const parsed: ParsedPolicies = { byId: new Map(), warnings: [] };
  for (const file of files) {
    const { policies, warnings } = parseFile(cedar, file);
    for (const { id, text } of policies) {
      const other = fileOf.get(id);
      if (other !== undefined) {
        const place = placeOf(file, file.text.indexOf(text));
        throw new Error(`${place}: the policy id ${JSON.stringify(id)} is taken by ${other}.`);
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
      `${placeOf(file, file.text.indexOf(template))}: templates (?principal, ?resource) are of no use here; name whom the policy is about.`,
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
    policies: inOrder(parts.policies).map((text, index) => ({
      id: idOf(cedar, text) || `${file.name}#${index + 1}`,
      text,
    })),
    warnings: checked.validationWarnings.map(({ error }) => sentence(file, [error])),
  };
}

// Cedar gives them sorted by the names it gave them, so policy10 comes before policy2.
function inOrder(parts: readonly string[]): string[] {
  const names = parts.map((_, index) => `policy${index}`);
  const sorted = names.toSorted();
  return names.map((name) => parts[sorted.indexOf(name)] ?? '');
}

function idOf(cedar: Cedar, text: string): string | undefined {
  const answer = cedar.policyToJson(text);
  return answer.type === 'success' ? answer.json.annotations?.id : undefined;
}

// Told of the first error only: whoever writes policies mends them one by one.
function sentence(file: PolicyFile, errors: readonly DetailedError[]): string {
  const startOf = ({ sourceLocations: [place] = [] }: DetailedError) => place?.start ?? 0;
  const [first] = errors.toSorted((one, other) => startOf(one) - startOf(other));
  if (!first) return `${file.name}: Cedar refuses it and does not say why.`;
  const text = first.message.replace(
    /^(?:failed to parse policies from string: |for policy `[^`]*`, )/,
    '',
  );
  const hint = first.help?.replace(/^for policy `[^`]*`, /, '');
  const offset = Buffer.from(file.text).subarray(0, startOf(first)).toString().length;
  return `${placeOf(file, offset)}: ${text}${hint ? ` (${hint})` : ''}.`;
}

function placeOf({ name, text }: PolicyFile, offset: number): string {
  return `${name}, line ${text.slice(0, offset).split('\n').length}`;
}
