import type { MetricEntry } from '@centralita/platform-nest';

/** Metrics of others that rules and dashboards may ask for: of kube-state-metrics, KEDA, cert-manager and Node's own. */
const others = new Set([
  'kube_pod_container_status_restarts_total',
  'kube_pod_container_status_last_terminated_reason',
  'kube_pod_container_status_waiting_reason',
  'kube_horizontalpodautoscaler_status_current_replicas',
  'kube_horizontalpodautoscaler_spec_max_replicas',
  'kube_horizontalpodautoscaler_spec_min_replicas',
  'kube_poddisruptionbudget_status_pod_disruptions_allowed',
  'kube_poddisruptionbudget_status_expected_pods',
  'kube_job_failed',
  'kube_secret_created',
  'keda_scaler_metrics_value',
  'keda_scaler_detail_errors_total',
  'certmanager_certificate_expiration_timestamp_seconds',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
]);

const words = new Set(['and', 'or', 'unless', 'by', 'on', 'ignoring', 'without', 'group_left', 'group_right', 'offset', 'bool']);

/** Names in a PromQL expression that stand where a metric stands and are none that exists. */
export const unknownMetrics = (
  expr: string,
  catalogue: Readonly<Record<string, MetricEntry>>,
  recorded: readonly string[],
): string[] => {
  const bare = expr
    .replace(/\$\{\w+\}/g, '')
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/\b(by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replace(/\boffset\s+\w+/g, ' ');
  const names = [...bare.matchAll(/(?<![\w.])[a-zA-Z_:][\w:]*(?!\w|\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => !words.has(name));
  const known = (name: string): boolean => {
    const series = /^(.*)_(bucket|count|sum)$/.exec(name)?.[1];
    return (
      (name in catalogue && catalogue[name]?.type !== 'histogram') ||
      (series !== undefined && catalogue[series]?.type === 'histogram') ||
      others.has(name) ||
      recorded.includes(name)
    );
  };
  return [...new Set(names)].filter((name) => !known(name));
};
