import type { Block, Evaluate, TerraformModule } from './terraform.ts';

/** A policy of IAM, S3 or KMS, with every value as a list. */
export interface IamPolicy {
  Statement: Statement[];
}

interface Statement {
  Sid?: string;
  Effect: string;
  Principal?: Record<string, string[]>;
  Action: string[];
  Resource?: string[];
  Condition?: Record<string, Record<string, string[]>>;
}

/** Renders a data source aws_iam_policy_document, as its provider does. */
export function renderPolicy(module: TerraformModule, name: string, evaluate: Evaluate): IamPolicy {
  const [document] = module.data.aws_iam_policy_document?.[name] ?? [];
  if (!document) throw new Error(`There is no aws_iam_policy_document "${name}".`);
  const statements = blocksOf(document, 'statement', evaluate).map(([block, read]) => {
    const principals = blocksOf(block, 'principals', read).map(([each]) => [
      read(each.type),
      read(each.identifiers),
    ]);
    const condition: Record<string, object> = {};
    for (const [each, readValues] of blocksOf(block, 'condition', read)) {
      const test = String(each.test);
      condition[test] = {
        ...condition[test],
        [String(read(each.variable))]: readValues(each.values),
      };
    }
    return {
      Sid: read(block.sid),
      Effect: 'Allow',
      Action: read(block.actions),
      ...(block.resources !== undefined && { Resource: read(block.resources) }),
      ...(principals.length > 0 && { Principal: Object.fromEntries(principals) }),
      ...(Object.keys(condition).length > 0 && { Condition: condition }),
    };
  });
  return withLists({ Statement: statements });
}

/** The blocks of one kind in a block, also those that `dynamic` repeats, each with its evaluator. */
function blocksOf(parent: Block, kind: string, evaluate: Evaluate): [Block, Evaluate][] {
  const fixed = (parent[kind] ?? []) as Block[];
  const repeated = ((parent.dynamic as Record<string, Block[]> | undefined)?.[kind] ?? []).flatMap(
    ({ for_each, content }) => {
      const [block = {}] = content as Block[];
      return (evaluate(for_each) as unknown[]).map((value): [Block, Evaluate] => [
        block,
        (each, further) => evaluate(each, { ...further, [kind]: { value } }),
      ]);
    },
  );
  return [...fixed.map((block): [Block, Evaluate] => [block, evaluate]), ...repeated];
}

/** Returns a policy with every single value as a list, because AWS accepts both. */
export function withLists(policy: object): IamPolicy {
  const listed = (value: unknown) => (Array.isArray(value) ? value : [value]);
  const eachListed = (members: object | undefined) =>
    members &&
    Object.fromEntries(Object.entries(members).map(([key, value]) => [key, listed(value)]));
  const { Statement } = policy as { Statement: Record<string, object>[] };
  return {
    Statement: Statement.map(({ Action, Resource, Principal, Condition, ...others }) => ({
      ...(others as { Sid?: string; Effect: string } & object),
      Effect: String(others.Effect),
      Action: listed(Action),
      ...(Resource && { Resource: listed(Resource) }),
      ...(Principal && { Principal: eachListed(Principal) as Record<string, string[]> }),
      ...(Condition && {
        Condition: Object.fromEntries(
          Object.entries(Condition).map(([test, keys]) => [test, eachListed(keys) ?? {}]),
        ),
      }),
    })),
  };
}

/** The actions that a policy allows, sorted. */
export function actionsOf({ Statement }: IamPolicy): string[] {
  return Statement.flatMap(({ Action }) => Action).sort();
}
