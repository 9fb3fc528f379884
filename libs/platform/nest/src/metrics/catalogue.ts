import { PlatformProcesses, type PlatformProcess } from '@centralita/contracts';

/** Each process puts its name into the label `service` of all its metrics. */
export type ProcessName = PlatformProcess;
export const processes = PlatformProcesses;

export type MetricEntry = {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly by: readonly ProcessName[];
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, in seconds. */
  readonly buckets?: readonly number[];
};

const requests = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** What takes minutes when something stands still. 5 and 60 are the bounds of two objectives. */
const delays = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

const serving = processes.filter((name) => name !== 'lag-exporter');
const consuming = ['ingest-media', 'ingest-sender', 'conversation', 'routing', 'billing', 'audit-log'] as const;
/** A consumer tells how it gets on as long as it runs; the exporter tells it from outside, also when nothing runs. */
const ofGroups = [...consuming, 'lag-exporter'] as const;
const sealing = ['ingest-webhook', 'ingest-media', 'ingest-sender', 'conversation', 'audit-log'] as const;

const counter = <const Labels extends readonly string[] = []>(help: string, by: readonly ProcessName[], labels?: Labels) => ({
  type: 'counter' as const,
  help,
  by,
  labels: (labels ?? []) as Labels,
});
const gauge = <const Labels extends readonly string[] = []>(help: string, by: readonly ProcessName[], labels?: Labels) => ({
  type: 'gauge' as const,
  help,
  by,
  labels: (labels ?? []) as Labels,
});
const histogram = <const Labels extends readonly string[] = []>(
  help: string,
  by: readonly ProcessName[],
  labels?: Labels,
  buckets: readonly number[] = requests,
) => ({ type: 'histogram' as const, help, by, labels: (labels ?? []) as Labels, buckets });

/**
 * Every metric of the platform. Alerts, dashboards and other people's rules are written against these names: one may be added, none
 * renamed or dropped (`frozen.json` beside this file holds them). Labels are closed sets (routes as written, codes, topics), never ids of
 * tenants or customers. The reference page is made from this list; a process exports what names it here, and nothing else.
 */
export const metricCatalogue = {
  build_info: gauge('Constant 1, labelled by version.', processes, ['version']),
  event_loop_delay_p99_seconds: gauge('Event-loop delay, 99th percentile of the last 15 seconds.', processes),
  readiness_failing: gauge('1 for each condition of readiness that does not hold now; none when ready or draining.', processes, [
    'check',
  ]),
  problems_total: counter('Problem documents sent, by code.', serving, ['code']),
  alarms_total: counter('Conditions under which a part stopped until somebody looks.', serving, ['part', 'code']),

  http_requests_total: counter('Answered requests.', serving, ['method', 'route', 'status']),
  http_request_seconds: histogram('Time from request to the end of the answer.', serving, ['method', 'route']),

  webhook_ack_seconds: histogram('From the last byte of a delivery to its answer.', ['ingest-webhook'], ['status']),
  webhook_signature_failures_total: counter('Deliveries refused with 401.', ['ingest-webhook'], ['app']),
  webhook_verified_total: counter('Deliveries by the secret that signed them.', ['ingest-webhook'], ['app', 'secret']),
  ingest_events_total: counter(
    'Events recorded; outcome names why an item stayed unknown, or that it was not recorded because its customer is erased.',
    ['ingest-webhook'],
    ['type', 'outcome'],
  ),
  media_total: counter('Media by what became of it.', ['ingest-media'], ['outcome']),
  replies_total: counter('Replies by what became of them.', ['ingest-sender'], ['outcome']),

  outbox_depth: gauge('Events that are committed and not on the log.', consuming),
  outbox_oldest_age_seconds: gauge('Age of the oldest unpublished event.', consuming),
  relay_retries_total: counter('Passes of the relay that failed in a way that passes.', consuming, ['code']),

  kafka_consumer_lag: gauge('Records between the position of the group and the end of the partition.', ofGroups, [
    'group',
    'topic',
    'partition',
  ]),
  consumer_last_commit_age_seconds: gauge('Seconds since the group last got on, on any partition.', ofGroups, ['group']),
  projection_lag_events: gauge('Records that a group has still to apply.', ofGroups, ['group']),
  projection_lag_seconds: gauge('For how long the oldest of those has been on the log.', ofGroups, ['group']),
  projection_delay_seconds: histogram('From the append of a record to the commit of its effects.', consuming, ['topic'], delays),
  replay_progress: gauge('Share of the log that a group has applied, 0 to 1.', ofGroups, ['group']),
  rebalances_total: counter('Assignments that the group has given this process.', consuming, ['group']),
  consumer_records_total: counter('Records that were applied.', consuming, ['topic']),
  handler_seconds: histogram('Time to apply a batch.', consuming, ['topic']),
  retries_total: counter('Batches tried again.', consuming, ['topic']),
  parked_records: gauge('Keys whose records wait for an operator.', consuming, ['group']),
  parked_oldest_age_seconds: gauge('Age of the oldest parked record.', consuming, ['group']),
  poison_total: counter('Records that were parked.', consuming, ['topic', 'code']),

  pool_size: gauge('Most connections that the pool may have.', serving, ['pool']),
  pool_used: gauge('Connections of the pool in use.', serving, ['pool']),
  pool_waiting: gauge('Callers that wait for a connection.', serving, ['pool']),
  schema_skew: gauge(
    'Migrations that this build needs and the database lacks; -1 when the schema is too new for this build.',
    serving,
  ),
  rls_context_missing_total: counter('Statements that row-level security refused: the isolation guard fired.', serving),

  kms_errors_total: counter('Keys that could not be read, unwrapped or stored.', sealing, ['operation', 'code']),
  access_records_total: counter('Access records committed.', consuming, ['outcome']),
  access_record_failures_total: counter('Answers withheld because the access could not be recorded.', consuming),

  routing_inputs_total: counter('Inputs that were decided.', ['routing'], ['kind']),
  routing_input_seconds: histogram('From the arrival of an input to its decision.', ['routing'], ['kind']),
  routing_domains_written: gauge('Routing domains whose lease this process holds.', ['routing']),
  routing_oldest_waiting_seconds: gauge('How long the conversation that waits longest for an agent has waited.', ['routing']),
  routing_tasks: gauge('Conversations by phase, of the domains that this process writes.', ['routing'], ['phase']),

  billing_unrated_events: gauge('Usage records in suspense: evidence that no rate card or account could price.', ['billing']),
  billing_oldest_unrated_seconds: gauge('Time since the oldest delivery among them.', ['billing']),
  billing_reconcile_diff: gauge('Deliveries in evidence minus records rated, free or in suspense; 0 when the books balance.', [
    'billing',
  ]),

  audit_chain_height: gauge('Leaves of all logs.', ['audit-log']),
  audit_checkpoint_age_seconds: gauge('Age of the oldest log head that has leaves without a checkpoint.', ['audit-log']),
  audit_sealed_seconds: histogram(
    'From an access to the checkpoint that covers it; the oldest of each checkpoint.',
    ['audit-log'],
    [],
    delays,
  ),
  audit_verify_failures_total: counter('Holes and contradictions in what the sources sent.', ['audit-log'], ['kind']),

  selftest_projected_timestamp_seconds: gauge('When the newest self-test ran that came through the log into the tables.', [
    'audit-log',
  ]),

  lag_sample_age_seconds: gauge('Time since the exporter last measured all groups.', ['lag-exporter']),
  topic_mismatch: gauge(
    '1 for each setting in which a topic is not what it must be: its partitions, or a setting such as retention.ms.',
    ['lag-exporter'],
    ['topic', 'setting'],
  ),
  archive_lag_seconds: gauge('Age of the oldest record that no sealed segment of the archive holds.', ['lag-exporter']),
  replay_proof_age_seconds: gauge('Time since the last proof by replay; none before the first.', ['lag-exporter'], ['what']),
  replay_proof_failed: gauge('1 when the last proof by replay gave another digest.', ['lag-exporter'], ['what']),
  key_rotation_age_seconds: gauge('Time since a key was last rotated, or since the first event of operations.', ['lag-exporter']),
} as const satisfies Readonly<Record<string, MetricEntry>>;

type Catalogue = typeof metricCatalogue;
export type MetricName = keyof Catalogue;
/** Names of one type of metric. */
export type MetricNameOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: Catalogue[Name]['type'] extends Type ? Name : never;
}[MetricName];
export type MetricLabel<Name extends MetricName> = Catalogue[Name]['labels'][number];
