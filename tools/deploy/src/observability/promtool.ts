import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { alertTestNames, alertTestsFolder, type RuleGroup } from './rules.js';

const WHERE = 'it comes with Debian’s package prometheus (apt-get install prometheus), or with a release of Prometheus';

export type PromtoolResult = { readonly status: number; readonly output: string };

/** Runs promtool. Throws in one sentence where there is none. */
export const promtool = (args: readonly string[], cwd: string): PromtoolResult => {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { cwd, env: process.env, encoding: 'utf8' });
  if (error && 'code' in error && error.code === 'ENOENT') throw new Error(`promtool is not on the PATH: ${WHERE}`);
  if (error) throw error;
  return { status: status ?? 1, output: `${stdout}${stderr}` };
};

/**
 * What the test of an alert runs on: recording rules and the alert. Without annotations: promtool compares them word by word, and what they
 * say is not what these tests are about. `promtool check` parses them.
 */
const groupsFor = (alert: string, groups: readonly RuleGroup[]): readonly RuleGroup[] =>
  groups.map(({ name, rules }) => ({
    name,
    rules: rules
      .filter((rule) => rule.alert === undefined || rule.alert === alert)
      .map(({ annotations: _said, ...rule }) => rule),
  }));

/** Checks rendered rules, and runs the tests of all alerts (or of some) on them. */
export const testRules = (groups: readonly RuleGroup[], alerts: readonly string[] = alertTestNames()): PromtoolResult => {
  const folder = mkdtempSync(join(tmpdir(), 'centralita-rules-'));
  try {
    writeFileSync(join(folder, 'all.yaml'), stringify({ groups }));
    const checked = promtool(['check', 'rules', 'all.yaml'], folder);
    if (checked.status !== 0) return checked;
    const tests = alerts.map((alert) => {
      mkdirSync(join(folder, alert));
      writeFileSync(join(folder, alert, 'rules.yaml'), stringify({ groups: groupsFor(alert, groups) }));
      copyFileSync(join(alertTestsFolder, `${alert}.test.yaml`), join(folder, alert, 'test.yaml'));
      return join(alert, 'test.yaml');
    });
    const tested = promtool(['test', 'rules', ...tests], folder);
    return { status: tested.status, output: `${checked.output}${tested.output}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
