import type { Dashboard } from './model.js';

const quantile = (q: number, metric: string, by: string, window = '5m'): string =>
  `histogram_quantile(${q}, sum by (le, ${by}) (rate(${metric}_bucket{\${ours}}[${window}])))`;

export const pipeline: Dashboard = {
  name: 'pipeline',
  title: 'pipeline',
  rows: [
    {
      title: 'Lag by stage',
      panels: [
        {
          title: 'Age of the oldest record not applied',
          unit: 's',
          queries: [['max by (group) (projection_lag_seconds{${ours}})', '{{group}}']],
          alerts: ['ConsumerLagHigh', 'ProjectionStale'],
        },
        {
          title: 'Records not applied',
          queries: [['max by (group) (projection_lag_events{${ours}})', '{{group}}']],
        },
        {
          title: 'Time since a group last got on',
          unit: 's',
          queries: [['min by (group) (consumer_last_commit_age_seconds{${ours}})', '{{group}}']],
          alerts: ['ConsumerStalled'],
        },
        { title: 'Records applied', queries: [['sum by (service) (rate(consumer_records_total{${ours}}[5m]))', '{{service}}']] },
        {
          title: 'From the log to the effect, 99 %',
          unit: 's',
          queries: [[quantile(0.99, 'projection_delay_seconds', 'service'), '{{service}}']],
        },
        {
          title: 'Share of the log applied',
          unit: 'percentunit',
          queries: [['min by (group) (replay_progress{${ours}})', '{{group}}']],
        },
      ],
    },
    {
      title: 'Outbox',
      panels: [
        {
          title: 'Age of the oldest event not published',
          unit: 's',
          queries: [['max by (service) (outbox_oldest_age_seconds{${ours}})', '{{service}}']],
          alerts: ['OutboxStuck'],
        },
        { title: 'Events not published', queries: [['max by (service) (outbox_depth{${ours}})', '{{service}}']] },
        {
          title: 'Passes tried again',
          queries: [['sum by (service, code) (rate(relay_retries_total{${ours}}[5m]))', '{{service}} {{code}}']],
        },
      ],
    },
    {
      title: 'What does not go on',
      panels: [
        {
          title: 'Parked keys',
          queries: [['max by (group) (parked_records{${ours}})', '{{group}}']],
          alerts: ['ParkedRecords'],
        },
        {
          title: 'Age of the oldest parked record',
          unit: 's',
          queries: [['max by (group) (parked_oldest_age_seconds{${ours}})', '{{group}}']],
        },
        {
          title: 'Records parked, by reason',
          queries: [['sum by (topic, code) (increase(poison_total{${ours}}[1h]))', '{{topic}} {{code}}']],
        },
        {
          title: 'Batches tried again',
          queries: [['sum by (service, topic) (rate(retries_total{${ours}}[5m]))', '{{service}} {{topic}}']],
        },
        {
          title: 'Time to apply a batch, 99 %',
          unit: 's',
          queries: [[quantile(0.99, 'handler_seconds', 'service, topic'), '{{service}} {{topic}}']],
        },
      ],
    },
  ],
};

export const kafka: Dashboard = {
  name: 'kafka',
  title: 'Kafka',
  rows: [
    {
      title: 'Lag, as consumers and the exporter see it',
      panels: [
        {
          title: 'Records by topic',
          queries: [
            ['sum by (group, topic) (max by (group, topic, partition) (kafka_consumer_lag{${ours}}))', '{{group}} {{topic}}'],
          ],
        },
        {
          title: 'The ten furthest partitions',
          queries: [
            ['topk(10, max by (group, topic, partition) (kafka_consumer_lag{${ours}}))', '{{group}} {{topic}}/{{partition}}'],
          ],
        },
        {
          title: 'Age of the last measurement from outside',
          unit: 's',
          queries: [['max(lag_sample_age_seconds{${ours}})', 'exporter']],
          alerts: ['LagExporterStale'],
        },
      ],
    },
    {
      title: 'Groups and topics',
      panels: [
        {
          title: 'Assignments in 15 minutes',
          queries: [['max by (group) (increase(rebalances_total{${ours}}[15m]))', '{{group}}']],
          alerts: ['RebalanceStorm'],
        },
        {
          title: 'Topics that differ from what they must be',
          queries: [['max by (topic, setting) (topic_mismatch{${ours}})', '{{topic}} {{setting}}']],
          alerts: ['TopicMismatch'],
        },
        {
          title: 'Records applied by topic',
          queries: [['sum by (topic) (rate(consumer_records_total{${ours}}[5m]))', '{{topic}}']],
        },
      ],
    },
  ],
};
