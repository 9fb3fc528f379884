import type { Dashboard } from './model.js';

const budget = (record: string, allowed: string): string => `1 - avg_over_time(${record}{\${ours}}[$__range]) / ${allowed}`;

export const overview: Dashboard = {
  name: 'overview',
  title: 'overview',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Inbound per minute',
          stat: true,
          queries: [['60 * sum(rate(ingest_events_total{${ours},type="whatsapp.message.received.v1"}[5m]))', '']],
        },
        { title: 'With an agent', stat: true, queries: [['sum(routing_tasks{${ours},phase=~"assigned|wrapping"})', '']] },
        { title: 'Without an agent', stat: true, queries: [['sum(routing_tasks{${ours},phase=~"waiting|offered"})', '']] },
        { title: 'Longest wait', unit: 's', stat: true, queries: [['max(routing_oldest_waiting_seconds{${ours}})', '']] },
        { title: 'Replies per minute', stat: true, queries: [['60 * sum(rate(replies_total{${ours}}[5m]))', '']] },
        { title: 'Leaves in the ledger', stat: true, queries: [['max(audit_chain_height{${ours}})', '']] },
      ],
    },
    {
      title: 'Objectives: what is left of the error budget in the time shown',
      panels: [
        {
          title: 'Webhook available, 99.95 %',
          unit: 'percentunit',
          stat: true,
          queries: [[budget('centralita:webhook_errors:ratio_rate5m', '0.0005'), '']],
          alerts: ['WebhookErrorBudgetFast', 'WebhookErrorBudgetSlow'],
        },
        {
          title: 'Answer within 500 ms, 99 %',
          unit: 'percentunit',
          stat: true,
          queries: [[budget('centralita:webhook_ack_slow:ratio_rate1h', '0.01'), '']],
        },
        {
          title: 'Visible within 5 s, 99 %',
          unit: 'percentunit',
          stat: true,
          queries: [[budget('centralita:projection_slow:ratio_rate1h', '0.01'), '']],
        },
        {
          title: 'Sealed within 60 s, 99 %',
          unit: 'percentunit',
          stat: true,
          queries: [[budget('centralita:audit_sealed_slow:ratio_rate1h', '0.01'), '']],
        },
      ],
    },
    {
      title: 'Webhook',
      panels: [
        {
          title: 'Deliveries by answer',
          unit: 'reqps',
          queries: [['sum by (status) (rate(webhook_ack_seconds_count{${ours}}[5m]))', '{{status}}']],
        },
        {
          title: 'Time to the answer',
          unit: 's',
          queries: [
            ['histogram_quantile(0.5, sum by (le) (rate(webhook_ack_seconds_bucket{${ours}}[5m])))', 'median'],
            ['histogram_quantile(0.99, sum by (le) (rate(webhook_ack_seconds_bucket{${ours}}[5m])))', '99 %'],
          ],
          alerts: ['WebhookAckSlow'],
        },
        {
          title: 'Signatures',
          unit: 'reqps',
          queries: [
            ['sum by (app) (rate(webhook_signature_failures_total{${ours}}[5m]))', 'refused, {{app}}'],
            ['sum by (app, secret) (rate(webhook_verified_total{${ours}}[5m]))', '{{app}}, {{secret}} secret'],
          ],
          alerts: ['SignatureFailuresSpike'],
        },
        {
          title: 'Events by type',
          queries: [
            ['sum by (type) (rate(ingest_events_total{${ours}}[5m]))', '{{type}}'],
            ['sum(rate(ingest_events_total{${ours}}[1h] offset 7d))', 'a week ago'],
          ],
          alerts: ['NoInboundTraffic'],
        },
        {
          title: 'Items that nobody understood',
          queries: [['sum by (outcome) (rate(ingest_events_total{${ours},outcome!="recorded"}[5m]))', '{{outcome}}']],
        },
        {
          title: 'Replies and media by outcome',
          queries: [
            ['sum by (outcome) (rate(replies_total{${ours}}[5m]))', 'reply {{outcome}}'],
            ['sum by (outcome) (rate(media_total{${ours}}[5m]))', 'media {{outcome}}'],
          ],
        },
      ],
    },
    {
      title: 'Routing',
      panels: [
        { title: 'Conversations by phase', queries: [['sum by (phase) (routing_tasks{${ours}})', '{{phase}}']] },
        { title: 'Domains by who writes them', queries: [['max by (pod) (routing_domains_written{${ours}})', '{{pod}}']] },
        { title: 'Inputs decided', queries: [['sum by (kind) (rate(routing_inputs_total{${ours}}[5m]))', '{{kind}}']] },
        {
          title: 'From input to decision, 99 %',
          unit: 's',
          queries: [['histogram_quantile(0.99, sum by (le) (rate(routing_input_seconds_bucket{${ours}}[5m])))', '99 %']],
        },
      ],
    },
  ],
};
