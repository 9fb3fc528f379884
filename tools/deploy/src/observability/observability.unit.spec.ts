import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { metricCatalogue, processes, type MetricEntry } from '@centralita/platform-nest';
import { at, ofKind } from '../manifests/manifest.js';
import { render, tryRender } from '../helm/render.js';
import { repository } from '../repository.js';
import { dashboardFiles, dashboards, dashboardsFolder } from './dashboards/index.js';
import { unknownMetrics } from './metric-names.js';
import { promtool } from './promtool.js';
import { alertFile, alertNames, alertTestNames, alertTestsFolder, renderedRules, runbookNames, runbooksFolder } from './rules.js';

const catalogue: Readonly<Record<string, MetricEntry>> = metricCatalogue;
const panels = dashboards.flatMap(({ name, rows }) =>
  rows.flatMap((row) => row.panels.map((panel) => ({ dashboard: name, ...panel }))),
);
const recorded = renderedRules().flatMap(({ rules }) => rules.flatMap(({ record }) => record ?? []));
const alerting = renderedRules().flatMap(({ rules }) => rules.filter(({ alert }) => alert !== undefined));

describe('alerts', () => {
  it('has for each alert one rule file, one runbook, one promtool test and one panel, and none of these without an alert', () => {
    const names = alertNames();
    expect(names.length).toBeGreaterThan(30);
    expect(runbookNames()).toEqual(names);
    expect(alertTestNames()).toEqual(names);
    expect(panels.flatMap(({ alerts }) => alerts ?? []).sort()).toEqual(names);
    expect([...new Set(alerting.map(({ alert }) => alert))].sort()).toEqual(names);
    expect(names.map((name) => alertFile(name).alert)).toEqual(names);
  });

  it.each(alertNames())('%s links the dashboard that has its panel', (name) => {
    expect(panels.find(({ alerts }) => alerts?.includes(name))?.dashboard).toBe(alertFile(name).dashboard);
  });

  it.each(alertNames())('%s is tested to fire and not to fire', (name) => {
    const test = readFileSync(join(alertTestsFolder, `${name}.test.yaml`), 'utf8');
    for (const { severity } of alertFile(name).rules) expect(test).toContain(`severity: '${severity}'`);
    expect(test).toContain('stays quiet');
    expect(test).toContain('exp_alerts: []');
  });

  it.each(alertNames())('%s has a runbook of meaning, impact, diagnosis and mitigation', (name) => {
    const text = readFileSync(join(runbooksFolder, `${name}.md`), 'utf8');
    expect(text.startsWith(`# ${name}\n`)).toBe(true);
    const sections = text.split(/^## /m).slice(1);
    expect(sections.map((section) => section.split('\n')[0])).toEqual(['Meaning', 'Impact', 'Diagnosis', 'Mitigation']);
    for (const section of sections) expect(section.trim().length).toBeGreaterThan(40);
    for (const [, other] of text.matchAll(/\]\((\w+)\.md\)/g)) expect(existsSync(join(runbooksFolder, `${other}.md`))).toBe(true);
  });

  it('names only commands that exist', () => {
    const page = readFileSync(join(repository, 'docs/reference/cli.md'), 'utf8');
    const commands = [...page.matchAll(/^## `centralita ([a-z ]+)`$/gm)].map(([, command]) => command ?? '');
    for (const name of [...runbookNames(), 'README']) {
      const text = readFileSync(join(runbooksFolder, `${name}.md`), 'utf8');
      for (const [, words] of text.matchAll(/centralita (ops [a-z]+(?: [a-z]+)?)/g))
        expect({ name, words, known: commands.some((command) => words === command || words?.startsWith(`${command} `)) }).toEqual(
          {
            name,
            words,
            known: true,
          },
        );
    }
  });

  it('labels every rendered rule and names its runbook and dashboard', () => {
    for (const { alert, labels, annotations, expr } of alerting) {
      expect({ alert, severity: ['page', 'ticket'].includes(labels?.['severity'] ?? '') }).toEqual({ alert, severity: true });
      expect(annotations?.['runbook_url']).toMatch(new RegExp(`/docs/runbooks/${alert}\\.md$`));
      expect(annotations?.['dashboard']).toMatch(/^centralita-[a-z]+$/);
      expect([annotations?.['summary'], annotations?.['description']].every((text) => (text ?? '').length > 10)).toBe(true);
      expect(`${expr}${JSON.stringify(annotations)}`).not.toContain('${');
    }
  });

  it('asks only for metrics of the frozen list, of kube-state-metrics, KEDA and cert-manager, or recorded by our rules', () => {
    for (const { alert, record, expr } of renderedRules().flatMap(({ rules }) => rules))
      expect({ rule: alert ?? record, unknown: unknownMetrics(expr, catalogue, recorded) }).toEqual({
        rule: alert ?? record,
        unknown: [],
      });
  });
});

describe('values of the rules', () => {
  const rules = (values: object) => tryRender({ values: { monitoring: { rules: { enabled: true, ...values } } } });
  it('leaves out what is excluded, and refuses a name that is no alert', () => {
    const left = renderedRules({ values: { monitoring: { rules: { enabled: true, exclude: ['PodOOM'] } } } });
    expect(left.flatMap((group) => group.rules.map(({ alert }) => alert))).not.toContain('PodOOM');
    expect(rules({ exclude: ['PodOom'] }).stderr).toContain(
      'monitoring.rules.exclude names PodOom, which is no alert of this chart',
    );
  });

  it('takes other thresholds, and refuses one that no alert has', () => {
    const groups = renderedRules({ values: { monitoring: { rules: { enabled: true, thresholds: { outboxAgeSeconds: 5 } } } } });
    const outbox = groups.flatMap((group) => group.rules).find(({ alert }) => alert === 'OutboxStuck');
    expect(outbox?.expr).toMatch(/> 5$/);
    expect(rules({ thresholds: { outboxAge: 5 } }).stderr).toContain(
      'monitoring.rules.thresholds names outboxAge, which no alert',
    );
  });

  it('leaves out the alerts that only the exporter feeds when it is off', () => {
    const off = renderedRules({ values: { monitoring: { rules: { enabled: true }, lagExporter: { enabled: false } } } });
    const names = off.flatMap((group) => group.rules.map(({ alert }) => alert));
    for (const name of alertNames())
      expect({ name, there: names.includes(name) }).toEqual({ name, there: alertFile(name).requires === undefined });
    for (const name of alertNames().filter((each) => alertFile(each).requires === undefined)) {
      const asked = off.flatMap((group) => group.rules).filter(({ alert }) => alert === name);
      for (const [metric, { by }] of Object.entries(catalogue))
        if (by.length === 1 && by[0] === 'lag-exporter') expect(asked.some(({ expr }) => expr.includes(metric))).toBe(false);
    }
  });

  it('skips, fails or renders where the cluster does not know the kind', () => {
    const unknown = (mode: string) => tryRender({ apis: [], values: { monitoring: { rules: { enabled: true, mode } } } });
    expect(unknown('skipIfMissing').stdout).not.toContain('kind: PrometheusRule');
    expect(unknown('failIfMissing').stderr).toContain('the cluster does not know PrometheusRule of monitoring.coreos.com/v1');
    expect(unknown('alwaysRender').stdout).toContain('kind: PrometheusRule');
  });

  it('refuses to scrape everything twice', () => {
    const both = tryRender({ values: { monitoring: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } } } });
    expect(both.stderr).toContain('would both scrape every process');
  });
});

describe('monitors', () => {
  type Monitor = {
    readonly selector: { readonly matchLabels: Record<string, string> };
    readonly podMetricsEndpoints?: readonly { readonly port: string; readonly honorLabels: boolean }[];
    readonly endpoints?: readonly { readonly port: string; readonly honorLabels: boolean }[];
  };
  const labelled = (labels: Readonly<Record<string, string>> | undefined, wanted: Record<string, string>): boolean =>
    Object.entries(wanted).every(([name, value]) => labels?.[name] === value);

  it('find every process by the pod monitor, on the port that serves metrics, and keep our label `service`', () => {
    const manifests = render({ values: { monitoring: { podMonitor: { enabled: true } } } });
    const [monitor] = ofKind(manifests, 'PodMonitor');
    const { selector, podMetricsEndpoints } = monitor?.spec as Monitor;
    expect(podMetricsEndpoints).toMatchObject([{ port: 'metrics', honorLabels: true }]);
    const deployments = ofKind(manifests, 'Deployment');
    expect(deployments.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/component']).sort()).toEqual(
      [...processes].sort(),
    );
    for (const deployment of deployments) {
      expect(
        labelled(at(deployment, 'spec', 'template', 'metadata', 'labels') as Record<string, string>, selector.matchLabels),
      ).toBe(true);
      const ports = at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'ports') as {
        name: string;
        containerPort: number;
      }[];
      expect(ports.find(({ name }) => name === 'metrics')?.containerPort).toBe(9090);
    }
  });

  it('find every process by the service monitor, once', () => {
    const manifests = render({ values: { monitoring: { serviceMonitor: { enabled: true } } } });
    const [monitor] = ofKind(manifests, 'ServiceMonitor');
    const { selector, endpoints } = monitor?.spec as Monitor;
    expect(endpoints).toMatchObject([{ port: 'metrics', honorLabels: true }]);
    const serving = ofKind(manifests, 'Service').filter(
      (service) =>
        labelled(service.metadata.labels, selector.matchLabels) &&
        (at(service, 'spec', 'ports') as { name: string }[]).some(({ name }) => name === 'metrics'),
    );
    expect(serving.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/component']).sort()).toEqual([...processes].sort());
  });
});

describe('dashboards', () => {
  it('stand in the chart as the code says: npm run dashboards writes them again', async () => {
    const files = await dashboardFiles();
    expect(readdirSync(dashboardsFolder).sort()).toEqual([...files.keys()].sort());
    for (const [name, contents] of files) expect(readFileSync(join(dashboardsFolder, name), 'utf8')).toBe(contents);
  });

  it('asks only for metrics that exist', () => {
    for (const { title, queries } of panels)
      for (const [expr] of queries)
        expect({ title, unknown: unknownMetrics(expr, catalogue, recorded) }).toEqual({ title, unknown: [] });
  });

  it('shows every metric of the frozen list somewhere', () => {
    const shown = panels.flatMap(({ queries }) => queries.map(([expr]) => expr)).join('\n');
    expect(Object.keys(catalogue).filter((name) => !new RegExp(`\\b${name}(_bucket|_count)?\\b`).test(shown))).toEqual([]);
  });

  it('gives every panel of a dashboard an id and a place of its own', async () => {
    for (const text of (await dashboardFiles()).values()) {
      const { panels: made } = JSON.parse(text) as {
        panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
      };
      expect(new Set(made.map(({ id }) => id)).size).toBe(made.length);
      expect(new Set(made.map(({ gridPos }) => `${gridPos.x}/${gridPos.y}`)).size).toBe(made.length);
      expect(made.every(({ gridPos }) => gridPos.x + gridPos.w <= 24)).toBe(true);
    }
  });

  it('renders one ConfigMap each, with the label of the sidecar, and resources of the operator when asked', () => {
    const monitoring = { dashboards: { enabled: true, grafanaOperator: { enabled: true } } };
    const manifests = render({ values: { monitoring } });
    const maps = ofKind(manifests, 'ConfigMap').filter(({ metadata }) => metadata.labels?.['grafana_dashboard'] === '1');
    expect(maps).toHaveLength(dashboards.length);
    for (const { data } of maps) for (const text of Object.values(data ?? {})) expect(JSON.parse(text)).toHaveProperty('panels');
    expect(ofKind(manifests, 'GrafanaDashboard')).toHaveLength(dashboards.length);
  });
});

describe(promtool.name, () => {
  it('says in one sentence where it comes from when it is not there', () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nowhere';
    try {
      expect(() => promtool(['--version'], '/')).toThrow(/^promtool is not on the PATH: it comes with Debian/);
    } finally {
      process.env['PATH'] = path;
    }
  });
});

describe(unknownMetrics.name, () => {
  it('finds a metric that does not exist, and knows labels, functions and words from metrics', () => {
    const expr = 'sum by (service) (rate(outbox_dpeth{service=~"a|b"}[5m])) / on (service) max(outbox_depth) > 14.4 * up';
    expect(unknownMetrics(expr, catalogue, [])).toEqual(['outbox_dpeth', 'up']);
    expect(unknownMetrics('rate(webhook_ack_seconds_bucket{le="0.5"}[5m]) > outbox_depth_count', catalogue, [])).toEqual([
      'outbox_depth_count',
    ]);
  });
});
