import type { Dashboard } from './model.js';

export const services: Dashboard = {
  name: 'services',
  title: 'services',
  rows: [
    {
      title: 'Health',
      panels: [
        {
          title: 'Conditions of readiness that do not hold',
          queries: [['sum by (service, check) (readiness_failing{${ours}})', '{{service}} {{check}}']],
          alerts: ['ServiceNotReady'],
        },
        {
          title: 'Parts that have stopped',
          queries: [['sum by (service, part, code) (alarms_total{${ours}})', '{{service}} {{part}} {{code}}']],
          alerts: ['PartStopped'],
        },
        { title: 'Versions', queries: [['count by (service, version) (build_info{${ours}})', '{{service}} {{version}}']] },
      ],
    },
    {
      title: 'Rate, errors, duration',
      panels: [
        {
          title: 'Requests',
          unit: 'reqps',
          queries: [['sum by (service) (rate(http_requests_total{${ours}}[5m]))', '{{service}}']],
        },
        {
          title: 'Share of errors (5xx)',
          unit: 'percentunit',
          queries: [
            [
              'sum by (service) (rate(http_requests_total{${ours},status=~"5.."}[5m])) / sum by (service) (rate(http_requests_total{${ours}}[5m]))',
              '{{service}}',
            ],
          ],
        },
        {
          title: 'Duration, 99 %',
          unit: 's',
          queries: [
            ['histogram_quantile(0.99, sum by (le, service) (rate(http_request_seconds_bucket{${ours}}[5m])))', '{{service}}'],
          ],
        },
        {
          title: 'The ten slowest routes, 99 %',
          unit: 's',
          queries: [
            [
              'topk(10, histogram_quantile(0.99, sum by (le, service, method, route) (rate(http_request_seconds_bucket{${ours}}[5m]))))',
              '{{service}} {{method}} {{route}}',
            ],
          ],
        },
        {
          title: 'Problem documents by code',
          queries: [['sum by (service, code) (rate(problems_total{${ours}}[5m]))', '{{service}} {{code}}']],
        },
      ],
    },
    {
      title: 'Processes',
      panels: [
        {
          title: 'Event-loop delay, 99 %',
          unit: 's',
          queries: [['max by (service, pod) (event_loop_delay_p99_seconds{${ours}})', '{{pod}}']],
          alerts: ['EventLoopBlocked'],
        },
        { title: 'CPU', queries: [['sum by (service, pod) (rate(process_cpu_seconds_total{${ours}}[5m]))', '{{pod}}']] },
        {
          title: 'Memory',
          unit: 'bytes',
          queries: [['max by (service, pod) (process_resident_memory_bytes{${ours}})', '{{pod}}']],
          alerts: ['PodOOM'],
        },
        {
          title: 'Restarts and pods that wait to start again',
          queries: [
            ['sum by (pod) (increase(kube_pod_container_status_restarts_total{${ours}}[1h]))', '{{pod}}'],
            ['sum by (pod, reason) (kube_pod_container_status_waiting_reason{${ours}})', '{{pod}} {{reason}}'],
          ],
          alerts: ['CrashLoop'],
        },
        {
          title: 'Jobs that failed',
          queries: [['max by (job_name) (kube_job_failed{${ours},condition="true"})', '{{job_name}}']],
          alerts: ['JobMigrateFailed', 'OperationsJobFailed'],
        },
      ],
    },
    {
      title: 'What ends',
      panels: [
        {
          title: 'Certificates: time left',
          unit: 's',
          queries: [['certmanager_certificate_expiration_timestamp_seconds{${ours}} - time()', '{{name}}']],
          alerts: ['CertificateExpiring'],
        },
        {
          title: 'Secrets: age',
          unit: 's',
          queries: [['time() - kube_secret_created{${ours},secret=~"centralita.*"}', '{{secret}}']],
          alerts: ['SecretOlderThan'],
        },
      ],
    },
  ],
};

export const postgres: Dashboard = {
  name: 'postgres',
  title: 'Postgres',
  rows: [
    {
      title: 'Pools',
      panels: [
        {
          title: 'Callers that wait',
          queries: [['max by (service, pod, pool) (pool_waiting{${ours}})', '{{pod}} {{pool}}']],
          alerts: ['PoolExhausted'],
        },
        {
          title: 'Share of the pool in use',
          unit: 'percentunit',
          queries: [['max by (service, pod, pool) (pool_used{${ours}} / pool_size{${ours}})', '{{pod}} {{pool}}']],
        },
        { title: 'Connections that pools may open', queries: [['sum by (service) (pool_size{${ours}})', '{{service}}']] },
      ],
    },
    {
      title: 'Fences',
      panels: [
        {
          title: 'Statements that row-level security refused',
          queries: [['sum by (service) (increase(rls_context_missing_total{${ours}}[1h]))', '{{service}}']],
          alerts: ['RlsContextMissing'],
        },
        {
          title: 'Schema: migrations missing (above 0), too new (-1)',
          queries: [['max by (service, pod) (schema_skew{${ours}})', '{{pod}}']],
          alerts: ['SchemaVersionSkew'],
        },
      ],
    },
  ],
};

export const autoscaling: Dashboard = {
  name: 'autoscaling',
  title: 'autoscaling',
  rows: [
    {
      title: 'Autoscalers, KEDA’s among them',
      panels: [
        {
          title: 'Replicas and their maximum',
          queries: [
            [
              'max by (horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_current_replicas{${ours}})',
              '{{horizontalpodautoscaler}}',
            ],
            [
              'max by (horizontalpodautoscaler) (kube_horizontalpodautoscaler_spec_max_replicas{${ours}})',
              '{{horizontalpodautoscaler}}, maximum',
            ],
          ],
          alerts: ['HpaAtMax'],
        },
        {
          title: 'What KEDA measures',
          queries: [
            [
              'max by (scaledObject, metric) (keda_scaler_metrics_value{exported_namespace="$namespace"})',
              '{{scaledObject}} {{metric}}',
            ],
          ],
        },
        {
          title: 'Errors of KEDA’s scalers',
          queries: [
            [
              'sum by (scaledObject) (rate(keda_scaler_detail_errors_total{exported_namespace="$namespace"}[5m]))',
              '{{scaledObject}}',
            ],
          ],
        },
        { title: 'Lag per group', queries: [['max by (group) (projection_lag_events{${ours}})', '{{group}}']] },
        {
          title: 'Disruptions that budgets allow',
          queries: [
            [
              'min by (poddisruptionbudget) (kube_poddisruptionbudget_status_pod_disruptions_allowed{${ours}})',
              '{{poddisruptionbudget}}',
            ],
          ],
          alerts: ['PdbBlocked'],
        },
      ],
    },
  ],
};
