import { readFileSync } from 'node:fs';

/** A section of the runbook. */
export interface RunbookSection {
  /** Its anchor. */
  anchor: string;
  text: string;
  /** Its commands and queries, in their order. */
  commands: { language: string; text: string }[];
}

/** The runbook. */
export const runbookFile = 'docs/runbook.md';

/** Reads the sections of the runbook. */
export function readRunbook(): RunbookSection[] {
  const [, ...sections] = readFileSync(runbookFile, 'utf8').split(/^## /m);
  return sections.map((text) => ({
    anchor: anchorOf(text.split('\n', 1)[0] ?? ''),
    text,
    commands: [...text.matchAll(/^```(\w+)\n(.*?)\n^```$/gms)].map(
      ([, language = '', code = '']) => ({ language, text: code }),
    ),
  }));
}

/** The anchor of a heading, as GitHub and GitLab make it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

/** The path that a command of the runbook gets. */
export function curlOf(command: string): string {
  const path = /^curl (?:-i )?"\$GATEWAY(\/[^"]*)"$/.exec(command)?.[1];
  if (path === undefined) throw new Error(`No request: ${command}`);
  return path;
}

/** The sections that a log line leads to, by the table of log lines. */
export function sectionsOfLine(text: string): string[] {
  const [introduction = ''] = readFileSync(runbookFile, 'utf8').split(/^## /m);
  const row = introduction.split('\n').find((line) => line.includes(`\`${text}\``));
  return [...(row ?? '').matchAll(/\(#([a-z-]+)\)/g)].map(([, anchor = '']) => anchor);
}
