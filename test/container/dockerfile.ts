import { readFileSync } from 'node:fs';
import {
  DockerfileParser,
  type Instruction,
  type ModifiableInstruction,
  type PropertyInstruction,
} from 'dockerfile-ast';

/** One instruction of a stage. */
export interface Step {
  keyword: string;
  /** `--from=packages` as `{ from: 'packages' }`. */
  flags: Record<string, string>;
  /** Everything after the flags. */
  text: string;
  /** The same, word by word. */
  words: string[];
  /** Names and values, of ENV and LABEL. */
  properties: Record<string, string>;
}

/** A stage: where it begins, and what is done to that. */
export interface Stage {
  name: string;
  base: string;
  steps: Step[];
}

/** Reads the stages of the Dockerfile, in its order. */
export function readStages(): Stage[] {
  const stages: Stage[] = [];
  const dockerfile = DockerfileParser.parse(readFileSync('Dockerfile', 'utf8'));
  for (const instruction of dockerfile.getInstructions()) {
    const step = readStep(instruction);
    const [base = '', , name = base] = step.words;
    if (step.keyword === 'FROM') stages.push({ name, base, steps: [] });
    else stages.at(-1)?.steps.push(step); // ARGs before the first stage are of no stage
  }
  return stages;
}

/** Every step that makes a stage what it is: those of the stages it builds on come first. */
export function stepsUpTo(name: string, stages: Stage[]): Step[] {
  const stage = stages.find((each) => each.name === name);
  return stage ? [...stepsUpTo(stage.base, stages), ...stage.steps] : [];
}

/** The last value of an instruction that may be given once: the one that counts. */
export function lastOf(keyword: string, steps: Step[]): string | undefined {
  return steps.findLast((step) => step.keyword === keyword)?.text;
}

/** What the HEALTHCHECK runs. @throws if it is not in exec form */
export function readHealthCheck(steps: Step[]): string[] {
  return JSON.parse(lastOf('HEALTHCHECK', steps)?.replace(/^CMD /, '') ?? '');
}

function readStep(instruction: Instruction): Step {
  const keyword = instruction.getKeyword();
  const flags = (instruction as Partial<ModifiableInstruction>).getFlags?.() ?? [];
  const properties = (instruction as Partial<PropertyInstruction>).getProperties?.() ?? [];
  const all = instruction.getArgumentsContent() ?? '';
  return {
    keyword,
    flags: Object.fromEntries(flags.map((flag) => [flag.getName(), flag.getValue() ?? ''])),
    text: all.replace(/^(?:--\S+\s+(?:\\\n\s*)?)*/, ''),
    words: instruction.getArguments().map((word) => word.getValue()),
    properties: Object.fromEntries(
      properties.map((property) => [property.getName(), property.getValue() ?? '']),
    ),
  };
}
