/** A panel: queries with the legend of their series, and the alerts that fire on what it shows. `ours` in braces selects the release. */
export type Panel = {
  readonly title: string;
  /** Unit as Grafana names it. @default short */
  readonly unit?: string;
  readonly queries: readonly (readonly [expr: string, legend: string])[];
  readonly alerts?: readonly string[];
  /** One number instead of a line over time. */
  readonly stat?: true;
  readonly help?: string;
};
export type Dashboard = {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[];
};

const WIDTH = 24;
const datasource = { type: 'prometheus', uid: '${datasource}' };

const panelJson = (panel: Panel, id: number, gridPos: object): object => ({
  id,
  type: panel.stat ? 'stat' : 'timeseries',
  title: panel.title,
  ...(panel.help ? { description: panel.help } : {}),
  datasource,
  gridPos,
  fieldConfig: { defaults: { unit: panel.unit ?? 'short', min: 0 }, overrides: [] },
  options: panel.stat
    ? { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, colorMode: 'value', graphMode: 'area' }
    : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
  links: (panel.alerts ?? []).map((alert) => ({
    title: alert,
    url: `\${runbooks}/${alert}.md`,
    targetBlank: true,
  })),
  targets: panel.queries.map(([expr, legendFormat], index) => ({
    refId: String.fromCharCode(65 + index),
    datasource,
    expr: expr.replaceAll('${ours}', 'namespace="$namespace"'),
    legendFormat,
  })),
});

/** A dashboard as Grafana reads it. The same input gives the same text. */
export const dashboardJson = (dashboard: Dashboard): string => {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: row } of dashboard.rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: WIDTH, h: 1 },
    });
    y += 1;
    const perLine = Math.min(row.length, row.every(({ stat }) => stat) ? 6 : 3);
    const w = Math.floor(WIDTH / perLine);
    const h = row.every(({ stat }) => stat) ? 5 : 8;
    row.forEach((panel, index) => {
      const gridPos = { x: (index % perLine) * w, y: y + Math.floor(index / perLine) * h, w, h };
      panels.push(panelJson(panel, panels.length + 1, gridPos));
    });
    y += Math.ceil(row.length / perLine) * h;
  }
  const variable = (name: string, more: object): object => ({ name, label: name, hide: 0, ...more });
  const json = {
    uid: `centralita-${dashboard.name}`,
    title: `Centralita / ${dashboard.title}`,
    tags: ['centralita'],
    timezone: 'browser',
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    schemaVersion: 39,
    version: 1,
    time: { from: 'now-3h', to: 'now' },
    links: [
      { type: 'dashboards', title: 'Centralita', tags: ['centralita'], asDropdown: true, includeVars: true, keepTime: true },
    ],
    templating: {
      list: [
        variable('datasource', { type: 'datasource', query: 'prometheus', current: {} }),
        variable('namespace', {
          type: 'query',
          datasource,
          query: { query: 'label_values(build_info{service="gateway"}, namespace)', refId: 'namespace' },
          refresh: 2,
          sort: 1,
          current: {},
        }),
        variable('runbooks', {
          type: 'constant',
          hide: 2,
          query: 'https://github.com/centralita/centralita/blob/main/docs/runbooks',
        }),
      ],
    },
    annotations: { list: [] },
    panels,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
};
