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
  /** The same text as words. */
  words: string[];
  /** Names and values of ENV and LABEL. */
  properties: Record<string, string>;
}

/** A stage: its base and its steps. */
export interface Stage {
  name: string;
  base: string;
  steps: Step[];
}

/** Reads the stages of the Dockerfile, in order. */
export function readStages(): Stage[] {
  const stages: Stage[] = [];
  const dockerfile = DockerfileParser.parse(readFileSync('Dockerfile', 'utf8'));
  for (const instruction of dockerfile.getInstructions()) {
    const step = readStep(instruction);
    const [base = '', , name = base] = step.words;
    if (step.keyword === 'FROM') stages.push({ name, base, steps: [] });
    else stages.at(-1)?.steps.push(step); // an ARG before the first stage belongs to none
  }
  return stages;
}

/** Returns all steps of a stage. The steps of its base stages come first. */
export function stepsUpTo(name: string, stages: Stage[]): Step[] {
  const stage = stages.find((each) => each.name === name);
  return stage ? [...stepsUpTo(stage.base, stages), ...stage.steps] : [];
}

/** Returns the effective value of an instruction: the last one. */
export function lastOf(keyword: string, steps: Step[]): string | undefined {
  return steps.findLast((step) => step.keyword === keyword)?.text;
}

/** Returns the command of the HEALTHCHECK. @throws an error if it is not in exec form */
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
