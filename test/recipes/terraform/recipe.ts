import { readFileSync } from 'node:fs';

import { partitionOf } from '#aws/endpoint/partition.ts';
import { renderPolicy, withLists } from '../iam-policy.ts';
import { evaluatorOf, type Inputs, readModule, type TerraformModule } from '../terraform.ts';

/** The folder of the recipe. */
export const folder = 'deploy/terraform';
export const accountId = '111122223333';
export const gatewayRole = `arn:aws:iam::${accountId}:role/log-export-gateway`;

/** Reads the modules of the recipe. */
export async function readRecipe() {
  return {
    root: await readModule(folder),
    bucket: await readModule(`${folder}/modules/bucket`),
    serviceRole: await readModule(`${folder}/modules/service-role`),
    gatewayRoleModule: await readModule(`${folder}/modules/gateway-role`),
  };
}

/** The inputs of a module in a Region. */
export function inputsIn(region: string, variables: Inputs['variables'] = {}): Inputs {
  const { name, dnsSuffix } = partitionOf(region);
  return { region, partition: name, dnsSuffix, accountId, variables };
}

/** A policy of a module, with its inputs filled in. */
export const policyOf = (module: TerraformModule, name: string, inputs: Inputs) =>
  renderPolicy(module, name, evaluatorOf(module, inputs));

/** The policies in JSON of docs/deploying.md, in their order. */
export function policiesOfThePage() {
  const page = readFileSync('docs/deploying.md', 'utf8');
  return [...page.matchAll(/^```json\n(.*?)^```$/gms)]
    .map(([, text = '']) => JSON.parse(text))
    .filter((json) => json.Statement !== undefined)
    .map(withLists);
}
