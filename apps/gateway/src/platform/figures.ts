import type { ReplayProofView } from '@centralita/contracts';
import { parseMetrics, type Sample } from './metrics-text.js';

const wanted = new Set([
  'build_info',
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  'event_loop_delay_p99_seconds',
  'consumer_records_total',
  'ingest_events_total',
  'projection_lag_events',
  'projection_lag_seconds',
  'outbox_depth',
  'outbox_oldest_age_seconds',
  'parked_records',
  'parked_oldest_age_seconds',
  'webhook_ack_seconds',
  'webhook_signature_failures_total',
  'audit_chain_height',
  'audit_checkpoint_age_seconds',
  'audit_verify_failures_total',
  'replay_proof_age_seconds',
  'replay_proof_failed',
]);

/** Counts by upper bound, cumulative, as Prometheus has them. */
export type Buckets = ReadonlyMap<number, number>;

/** What one process says of itself at one moment. null: it has no such figure. */
export type Scrape = {
  readonly version: string | null;
  readonly startSeconds: number | null;
  readonly residentBytes: number | null;
  readonly eventLoopDelaySeconds: number | null;
  /** Records that its group has applied, since its start. */
  readonly recordsApplied: number | null;
  /** Items that the webhook has recorded or refused, since its start. */
  readonly itemsReceived: number | null;
  /** By consumer group: of its own, or of all where the process measures for all. Groups have the names of their processes. */
  readonly lagRecords: ReadonlyMap<string, number>;
  readonly lagSeconds: ReadonlyMap<string, number>;
  readonly outboxDepth: number | null;
  readonly outboxAgeSeconds: number | null;
  readonly parkedKeys: number | null;
  readonly parkedOldestSeconds: number | null;
  readonly ack: Buckets;
  readonly signatureFailures: number | null;
  readonly auditHeight: number | null;
  readonly checkpointAgeSeconds: number | null;
  readonly verifyFailures: number | null;
  readonly proofs: readonly { readonly of: ReplayProofView['of']; readonly ageSeconds: number; readonly equal: boolean | null }[];
};

/** What is proven, by the job that proves it. */
const proofs = [
  { of: 'billing', what: 'replay' },
  { of: 'ledger', what: 'verify' },
] as const satisfies readonly { of: ReplayProofView['of']; what: string }[];

/** What a process's /metrics says; null when the text is not from a process of ours. */
export const scrapeOf = (text: string): Scrape | null => {
  const families = parseMetrics(text, wanted);
  const [build] = families.get('build_info') ?? [];
  if (build === undefined) return null;
  const of = (family: string): readonly Sample[] => families.get(family) ?? [];
  /** A gauge of the process: the largest, where it has labels. null without a sample. */
  const gauge = (family: string): number | null => {
    const values = of(family).map(({ value }) => value);
    return values.length === 0 ? null : Math.max(...values);
  };
  /** A counter, over its labels; 0 when it is declared and nothing has been counted. */
  const total = (family: string): number | null =>
    families.has(family) ? of(family).reduce((sum, { value }) => sum + value, 0) : null;
  const byGroup = (family: string): ReadonlyMap<string, number> =>
    new Map(of(family).map(({ labels, value }) => [labels.group ?? '', value]));
  const ack = new Map<number, number>();
  for (const { labels, value } of of('webhook_ack_seconds')) {
    const bound = labels.le === '+Inf' ? Infinity : Number(labels.le);
    if (!Number.isNaN(bound)) ack.set(bound, (ack.get(bound) ?? 0) + value);
  }
  return {
    version: build.labels.version ?? null,
    startSeconds: gauge('process_start_time_seconds'),
    residentBytes: gauge('process_resident_memory_bytes'),
    eventLoopDelaySeconds: gauge('event_loop_delay_p99_seconds'),
    recordsApplied: total('consumer_records_total'),
    itemsReceived: total('ingest_events_total'),
    lagRecords: byGroup('projection_lag_events'),
    lagSeconds: byGroup('projection_lag_seconds'),
    outboxDepth: gauge('outbox_depth'),
    outboxAgeSeconds: gauge('outbox_oldest_age_seconds'),
    parkedKeys: gauge('parked_records'),
    parkedOldestSeconds: gauge('parked_oldest_age_seconds'),
    ack,
    signatureFailures: total('webhook_signature_failures_total'),
    auditHeight: gauge('audit_chain_height'),
    checkpointAgeSeconds: gauge('audit_checkpoint_age_seconds'),
    verifyFailures: total('audit_verify_failures_total'),
    proofs: proofs.flatMap(({ of: proven, what }) => {
      const named = ({ labels }: Sample): boolean => labels.what === what;
      const age = of('replay_proof_age_seconds').find(named)?.value;
      const failed = of('replay_proof_failed').find(named)?.value;
      if (age === undefined || !Number.isFinite(age) || age < 0) return [];
      return [{ of: proven, ageSeconds: age, equal: failed === undefined ? null : failed === 0 }];
    }),
  };
};

/** How much a counter has grown from one look to the next; a process that has started again counts from nothing. */
export const growth = (before: number, after: number, restarted: boolean): number =>
  restarted || after < before ? after : after - before;

/** A quantile of what a cumulative histogram counted, interpolated within its bucket; null when it counted nothing. */
export const quantile = (buckets: Buckets, share: number): number | null => {
  const bounds = [...buckets].sort(([one], [other]) => one - other);
  const all = bounds.at(-1)?.[1] ?? 0;
  if (all <= 0) return null;
  const rank = share * all;
  const index = bounds.findIndex(([, count]) => count >= rank);
  const [bound, count] = bounds[index] as [number, number];
  const [lower, below] = index === 0 ? [0, 0] : (bounds[index - 1] as [number, number]);
  // Beyond the last bound nothing is known but that bound.
  if (bound === Infinity) return lower;
  return count === below ? bound : lower + ((bound - lower) * (rank - below)) / (count - below);
};
