import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** A rule of Prometheus that fires an alert. */
export interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string; runbook_url: string };
}

/** The file with the alerts. */
export const rulesFile = 'deploy/prometheus/rules.yaml';

/** Reads the alerts, in their order. */
export function readRules(): AlertRule[] {
  const { groups } = parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/** The section of the runbook that a rule names; undefined if it names none. */
export function sectionOf({ annotations }: AlertRule): string | undefined {
  const link = /^\{\{ \$externalLabels\.runbook_base \}\}docs\/runbook\.md#([a-z-]+)$/;
  return link.exec(annotations.runbook_url)?.[1];
}
