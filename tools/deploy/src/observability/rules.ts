import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { render, type RenderOptions } from '../helm/render.js';
import { ofKind } from '../manifests/manifest.js';
import { mainChart, repository } from '../repository.js';

export type Rule = {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};
export type RuleGroup = { readonly name: string; readonly rules: readonly Rule[] };

/** A file of files/alerts: one alert, with one rule for each severity. */
export type AlertFile = {
  readonly alert: string;
  /** Name of the dashboard that shows it, without `centralita-`. */
  readonly dashboard: string;
  /** What feeds its metrics, when that can be switched off. */
  readonly requires?: 'lagExporter';
  readonly thresholds?: Readonly<Record<string, number | string>>;
  readonly rules: readonly { readonly severity: string; readonly for?: string; readonly expr: string }[];
};

export const alertsFolder = join(mainChart, 'files/alerts');
export const runbooksFolder = join(repository, 'docs/runbooks');
export const alertTestsFolder = join(import.meta.dirname.replace(/\/dist\//, '/src/'), 'alerts');

const namesIn = (folder: string, ending: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => basename(name, ending))
    .sort();

/** Alerts that have a rule file. */
export const alertNames = (): string[] => namesIn(alertsFolder, '.yaml');
export const runbookNames = (): string[] => namesIn(runbooksFolder, '.md').filter((name) => name !== 'README');
export const alertTestNames = (): string[] => namesIn(alertTestsFolder, '.test.yaml');

export const alertFile = (name: string): AlertFile =>
  parse(readFileSync(join(alertsFolder, `${name}.yaml`), 'utf8')) as AlertFile;

/** Groups of the PrometheusRule as the chart renders it. */
export const renderedRules = (options: RenderOptions = {}): readonly RuleGroup[] => {
  const monitoring = { rules: { enabled: true } };
  const [rule] = ofKind(render({ values: { monitoring }, ...options }), 'PrometheusRule');
  if (!rule) throw new Error('the chart renders no PrometheusRule');
  return (rule.spec as { readonly groups: readonly RuleGroup[] }).groups;
};
