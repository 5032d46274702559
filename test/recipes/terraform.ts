import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { parse } from '@cdktn/hcl2json';

/** A block of Terraform as JSON. Expressions are text such as `${var.name}`. */
export type Block = Record<string, unknown>;

/** The blocks of a module, by kind. */
export interface TerraformModule {
  variable: Record<string, [Block]>;
  output: Record<string, [Block]>;
  module: Record<string, [Block]>;
  locals: Block;
  /** By type and name. */
  data: Record<string, Record<string, [Block]>>;
  resource: Record<string, Record<string, [Block]>>;
  /** The text of all files. */
  text: string;
}

/** Reads all files of a module. @throws an error of HashiCorp's parser if one is not HCL */
export async function readModule(folder: string): Promise<TerraformModule> {
  const read: TerraformModule = {
    variable: {},
    output: {},
    module: {},
    locals: {},
    data: {},
    resource: {},
    text: '',
  };
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.tf'))) {
    const text = readFileSync(join(folder, file), 'utf8');
    const { locals = [], ...blocks } = await parse(file, text);
    read.text += text;
    Object.assign(read.locals, ...locals);
    for (const kind of ['variable', 'output', 'module'] as const) {
      Object.assign(read[kind], blocks[kind]);
    }
    for (const kind of ['data', 'resource'] as const) {
      for (const [type, named] of Object.entries<Record<string, [Block]>>(blocks[kind] ?? {})) {
        read[kind][type] = { ...read[kind][type], ...named };
      }
    }
  }
  return read;
}

/** The values that Terraform gets from its user and from AWS. */
export interface Inputs {
  /** Default: the defaults of the module. */
  variables?: Block;
  region: string;
  partition: string;
  dnsSuffix: string;
  accountId: string;
}

/** Evaluates the expressions of a module. */
export type Evaluate = (value: unknown, further?: Block) => unknown;

/** The functions of Terraform that the modules use. */
const functions = {
  concat: (...lists: unknown[][]) => lists.flat(),
  formatlist: (format: string, values: string[]) =>
    values.map((value) => format.replace('%s', value)),
  length: ({ length }: unknown[]) => length,
  split: (separator: string, text: string) => text.split(separator),
  jsonencode: JSON.stringify,
  alltrue: (values: boolean[]) => values.every(Boolean),
  can: Boolean,
  regex: (pattern: string, text: string) => new RegExp(pattern).test(text),
};

/**
 * Opens the expressions of a module. Those of our modules are also JavaScript, once their strings are
 * template literals, `var` has another name, members have colons and `for` is a call of `map`.
 */
export function evaluatorOf(module: TerraformModule, inputs: Inputs): Evaluate {
  const defaults = Object.entries(module.variable).map(([name, [block]]) => [name, block.default]);
  const variables = { ...Object.fromEntries(defaults), ...inputs.variables };
  const { region, partition, dnsSuffix, accountId } = inputs;
  const scope = {
    ...functions,
    variables,
    local: new Proxy(module.locals, { get: (all, name) => evaluate(all[name as string]) }),
    data: {
      aws_region: { current: { region } },
      aws_partition: { current: { partition, dns_suffix: dnsSuffix } },
      aws_caller_identity: { current: { account_id: accountId } },
    },
    // A text of one expression and nothing else has the value of the expression, of any type.
    template: ({ raw }: TemplateStringsArray, ...values: unknown[]) =>
      values.length === 1 && raw.join('') === '' ? values[0] : String.raw({ raw }, ...values),
  };

  const evaluate: Evaluate = (value, further = {}) => {
    if (Array.isArray(value)) return value.map((each) => evaluate(each, further));
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value).map(([name, each]) => [name, evaluate(each, further)]);
      return Object.fromEntries(members);
    }
    if (typeof value !== 'string') return value;
    const script = value
      .replaceAll('"', '`')
      .replaceAll(/\bvar\./g, 'variables.')
      .replaceAll(/\b(\w+) = /g, '$1: ')
      .replaceAll(/\[for (\w+) in ([\w.]+) : (.*)\]/gs, '$2.map(($1) => $3)');
    return runInNewContext(`template\`${script}\``, { ...scope, ...further });
  };
  return evaluate;
}
