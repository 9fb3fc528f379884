import { createHash, randomUUID } from 'node:crypto';
import { PlatformError } from '@centralita/contracts';
import { LeafCollector, type EventLog, type OffsetRange } from '@centralita/event-log';
import { EventStore, PLATFORM_TENANT, type Database, type SystemTx } from '@centralita/event-store';
import { v5 as uuidv5 } from 'uuid';
import type { AccountBook } from '../accounts.js';
import { digestOfLeaves, inputTopics, stateDigest, type StateDigest } from '../digest/digest.js';
import { billing } from '../service.js';
import { placeOf, replay, type Replay } from './replay.js';

/** Stream of the proofs: one after the other, for the whole installation. */
const PROOFS = uuidv5('billing:replay-proofs', PLATFORM_TENANT);

export type Proof = Replay & {
  readonly runId: string;
  readonly equal: boolean;
  readonly logDigest: string;
  readonly stateDigest: string;
  /** Tenants of whom the live fold holds something else. */
  readonly differing: readonly string[];
};

type Live = {
  readonly ranges: readonly OffsetRange[];
  readonly leftOut: ReadonlySet<string>;
  readonly tenants: Record<string, StateDigest>;
};

/**
 * The nightly proof: the fold is filled again from offset 0 in a database of its own, up to where the live one stood, and must be the same row
 * by row. What came of it is `replay.verified` in the service's own event store, so its relay brings it onto the log in order.
 *
 * 1. one snapshot of the live database: positions, what was parked or given up, digests
 * 2. replay of exactly those records
 * 3. the event, whatever the outcome
 *
 * Throws CONFIGURATION_INVALID when the scratch database is one that a service works on.
 */
export const proveReplay = async (log: EventLog, scratch: Database, live: Database, accounts: AccountBook): Promise<Proof> => {
  await requireScratch(scratch);
  const { ranges, leftOut, tenants } = await live.system((tx) => snapshot(tx, accounts));
  const leaves = new LeafCollector();
  const replayed = await replay(log, scratch, accounts, {
    ranges,
    leftOut,
    empties: true,
    onRecord: (record) => leaves.add(record),
  });
  // Whose account is gone has no traffic either, so these do not move.
  for (const tenantId of Object.keys(replayed.tenants)) tenants[tenantId] ??= await live.withTenant(tenantId, stateDigest);
  const names = [...new Set([...Object.keys(tenants), ...Object.keys(replayed.tenants)])].sort();
  // A tenant without rows has the same digest as one that nobody has heard of.
  const differing = names.filter((tenant) => {
    const [one, other] = [tenants[tenant], replayed.tenants[tenant]];
    return (one?.rows ?? 0) !== (other?.rows ?? 0) || (one && other && one.stateDigest !== other.stateDigest);
  });
  const state = createHash('sha256');
  for (const [tenant, { stateDigest: digest, rows }] of Object.entries(replayed.tenants).sort(([one], [other]) =>
    one < other ? -1 : 1,
  ))
    if (rows > 0) state.update(`${tenant} ${digest}\n`);
  const proof = {
    ...replayed,
    runId: randomUUID(),
    equal: differing.length === 0,
    logDigest: digestOfLeaves(leaves.leaves()),
    stateDigest: state.digest('hex'),
    differing,
  };
  await record(live, proof);
  return proof;
};

const record = async (live: Database, { runId, logDigest, stateDigest: digest, equal, records }: Proof): Promise<void> => {
  const data = { runId, logDigest, stateDigest: digest, equal, records: String(records), verifiedAt: new Date().toISOString() };
  const event = { key: PROOFS, streamId: PROOFS, expectedVersion: 'any' as const, type: 'replay.verified.v1' as const, data };
  await live.withTenant(PLATFORM_TENANT, (tx) => new EventStore({ service: 'billing' }).append(tx, 'billing.events.v1', [event]));
};

/** A service keeps its positions in its database; a replay has none. */
const requireScratch = async (scratch: Database): Promise<void> => {
  const rows = await scratch.system((tx) => tx.query('select from consumer_offset limit 1'));
  if (rows.length > 0)
    throw new PlatformError(
      'CONFIGURATION_INVALID',
      'DATABASE_URL is the database of a service: a replay empties what it writes',
    );
};

const snapshot = async (tx: SystemTx, accounts: AccountBook): Promise<Live> => {
  await tx.query('set transaction isolation level repeatable read');
  const positions = await tx.query<{ topic: string; partition: number; next_offset: string }>(
    'select topic, partition, next_offset from consumer_offset where group_id = $1 and topic = any($2)',
    [billing.consumerGroup, inputTopics],
  );
  const leftOut = new Set<string>();
  const tenants: Record<string, StateDigest> = {};
  for (const tenantId of [...accounts.tenants(), PLATFORM_TENANT]) {
    await tx.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
    const parked = await tx.query<{ topic: string; partition: number; record_offset: string }>(
      `select topic, partition, record_offset from parked_record where tenant_id = $1 and group_id = $2 and state <> 'applied'`,
      [tenantId, billing.consumerGroup],
    );
    for (const { topic, partition, record_offset: offset } of parked) leftOut.add(placeOf({ topic, partition, offset }));
    if (tenantId !== PLATFORM_TENANT) tenants[tenantId] = await stateDigest({ ...tx, tenantId });
  }
  return {
    ranges: positions.map(({ topic, partition, next_offset }) => ({ topic, partition, from: 0n, to: BigInt(next_offset) })),
    leftOut,
    tenants,
  };
};
