import { Frontier, toHex, originOf } from '@centralita/domain-ledger';
import { PlatformError } from '@centralita/contracts';
import { tracedStep } from '@centralita/event-log';
import { toBigInt, type EventStore, type NewEvent, type Tx } from '@centralita/event-store';
import { logIdOf } from '../log-identity.js';
import { sha256 } from '../signing/signer.js';
import { dueRecords, type CompletenessAt } from './due.js';
import { LeafBuilder, type SequencedLeaf, type SubjectHead } from './leaves.js';
import { checkSources, type Finding } from './sources.js';
import { insertNodes, nodesOf } from './tree-store.js';

export type Sequenced = {
  readonly leaves: number;
  readonly size: bigint;
  readonly findings: readonly Finding[];
  readonly more: boolean;
};

export type SequenceOptions = {
  readonly store: EventStore;
  /** Unique to a start of a process. */
  readonly holder: string;
  readonly leaseMs: number;
  readonly completenessAt: CompletenessAt;
  /** Customers, by commitment, of whom this group has records parked. */
  readonly parked: ReadonlySet<string>;
  readonly clock: () => Date;
};

/**
 * Gives waiting records their places in the tenant's log, in one transaction:
 *
 * 1. the lease: its row lock keeps every other sequencer of this log out until commit; null while another process holds it
 * 2. records of all lanes whose turn has come, with the verdict on their reasons
 * 3. leaves, numbered per subject, and the tree's new nodes
 * 4. the order as events, fenced by the lease's epoch: whoever rebuilds reads it from the log
 * 5. the records leave the queue
 *
 * A crash before commit leaves everything waiting.
 */
export const sequence = async (tx: Tx, options: SequenceOptions): Promise<Sequenced | null> => {
  const { store } = options;
  const logId = logIdOf(tx.tenantId);
  const lease = await store.leaseDomain(tx, logId, options.holder, options.leaseMs);
  if (!lease) return null;
  const size = lease.lastSeq;
  const { due, more } = await dueRecords(tx, options.completenessAt, options.parked);
  if (due.length === 0) return { leaves: 0, size, findings: [], more: false };

  const heads = await subjectHeads(tx, [...new Set(due.flatMap(({ record }) => record.subjects))]);
  const builder = new LeafBuilder(tx.tenantId, await Frontier.load(sha256, nodesOf(tx), size), heads);
  const placed = due.map((each) => {
    const leafIndex = builder.size;
    builder.add(each);
    return { due: each, leafIndex };
  });

  const findings = await checkSources(tx, placed);
  const now = options.clock();
  await insertLeaves(tx, builder.leaves, now);
  await insertNodes(tx, builder.nodes);
  await moveHeads(tx, heads);
  // The leaf of a record is a step of the flow that brought it; a list's light leaves share it.
  const traces = new Map(due.map(({ eventId, traceparent }) => [eventId, tracedStep(traceparent, 'sequence leaf')]));
  const appended = await store.append(
    tx,
    'audit.sequenced.v1',
    builder.leaves.map((leaf) => leafEvent(tx.tenantId, leaf, Number(size), now, traces.get(leaf.eventId))),
    { id: lease.id, epoch: lease.epoch },
  );
  if (appended.at(-1)?.domainSeq !== builder.size)
    throw new PlatformError('INTERNAL', 'the order of leaves and the store disagree', { size: builder.size.toString() });
  await tx.execute(
    `delete from intake i using unnest($2::uuid[], $3::bigint[]) as u(lane, number)
     where i.tenant_id = $1 and i.lane = any ($2) and i.number = any ($3) and i.lane = u.lane and i.number = u.number`,
    [tx.tenantId, due.map(({ lane }) => lane), due.map(({ number }) => number)],
  );
  return { leaves: builder.leaves.length, size: builder.size, findings, more };
};

const leafEvent = (
  tenantId: string,
  { index, leaf, text, hash, eventId }: SequencedLeaf,
  version: number,
  now: Date,
  traceparent: string | undefined,
): NewEvent => ({
  key: logIdOf(tenantId),
  streamId: logIdOf(tenantId),
  expectedVersion: version,
  type: 'audit.leaf.sequenced.v1',
  time: now,
  causationId: eventId,
  ...(traceparent === undefined ? {} : { traceparent }),
  data: {
    logId: logIdOf(tenantId),
    origin: originOf(tenantId),
    leafIndex: index.toString(),
    leafKind: leaf.kind,
    leaf: text,
    leafHash: toHex(hash),
    recordId: leaf.recordId,
    source: leaf.sourceLane,
    sourceNumber: leaf.sourceNumber,
    sequencedAt: now.toISOString(),
  },
});

const subjectHeads = async (tx: Tx, subjects: readonly string[]): Promise<Map<string, SubjectHead>> => {
  const rows = await tx.query<{ subject: string; last_seq: number; last_leaf: string }>(
    `select subject, last_seq, last_leaf from subject_head where tenant_id = $1 and subject = any ($2::text[])`,
    [tx.tenantId, subjects],
  );
  return new Map(rows.map((row) => [row.subject, { seq: row.last_seq, leaf: toBigInt(row.last_leaf) }]));
};

const moveHeads = async (tx: Tx, heads: ReadonlyMap<string, SubjectHead>): Promise<void> => {
  const moved = [...heads];
  await tx.execute(
    `insert into subject_head (tenant_id, subject, last_seq, last_leaf) select $1, * from unnest($2::text[], $3::int[], $4::bigint[])
     on conflict (tenant_id, subject) do update set last_seq = excluded.last_seq, last_leaf = excluded.last_leaf`,
    [tx.tenantId, moved.map(([subject]) => subject), moved.map(([, head]) => head.seq), moved.map(([, head]) => head.leaf)],
  );
};

const insertLeaves = async (tx: Tx, leaves: readonly SequencedLeaf[], now: Date): Promise<void> => {
  await tx.execute(
    `insert into leaf (tenant_id, sequenced_at, leaf_index, leaf_hash, leaf_text, kind, record_id, lane, number, subject, subject_seq,
                       actor_id, action, outcome, occurred_at)
     select $1, $2, * from unnest($3::bigint[], $4::bytea[], $5::text[], $6::text[], $7::uuid[], $8::uuid[], $9::bigint[], $10::text[],
                                  $11::int[], $12::uuid[], $13::text[], $14::text[], $15::timestamptz[])`,
    [
      tx.tenantId,
      now,
      leaves.map(({ index }) => index),
      leaves.map(({ hash }) => Buffer.from(hash)),
      leaves.map(({ text }) => text),
      leaves.map(({ leaf }) => leaf.kind),
      leaves.map(({ leaf }) => leaf.recordId),
      leaves.map(({ leaf }) => leaf.sourceLane),
      leaves.map(({ leaf }) => leaf.sourceNumber),
      leaves.map(({ leaf }) => leaf.subject),
      leaves.map(({ leaf }) => leaf.subjectSeq),
      leaves.map(({ leaf }) => leaf.actor.id),
      leaves.map(({ leaf }) => leaf.action),
      leaves.map(({ leaf }) => leaf.outcome),
      leaves.map(({ leaf }) => leaf.occurredAt),
    ],
  );
};
