import { initialState, type RoutingState } from '@centralita/domain-routing';
import { inOneTrip, toBigInt, type EventStore, type Tx } from '@centralita/event-store';
import { domainOf } from '../ids.js';
import { projectedTables, projection } from '../read/project.js';
import { foldDomain } from './fold.js';
import { readSnapshot } from './snapshot.js';

export type Loaded = {
  readonly state: RoutingState;
  /** Last input that was taken. */
  readonly inputSeq: bigint;
  /** Time of that input, milliseconds since the epoch; 0 before the first. */
  readonly at: number;
};

/**
 * The state of a domain from its newest snapshot and the events since, and how far its inputs were taken. When the tables for queries
 * are not at the same event (never, unless somebody dropped them or their row of domain_progress), they are made again on the way.
 */
export const loadDomain = async (tx: Tx, store: EventStore): Promise<Loaded & { readonly snapshotAt: number }> => {
  const domainId = domainOf(tx.tenantId);
  const [progress] = await tx.query<{ input_seq: string; input_at: string; domain_seq: string }>(
    `select input_seq, input_at, domain_seq from domain_progress where tenant_id = $1 and domain_id = $2`,
    [tx.tenantId, domainId],
  );
  const projected = progress === undefined ? 0n : toBigInt(progress.domain_seq);
  const snapshot = await readSnapshot(tx);
  const state = await foldDomain(tx, store, snapshot);
  const snapshotAt = snapshot.position;
  if (BigInt(state.position) !== projected) await rebuild(tx, store);
  if (progress) return { state, snapshotAt, inputSeq: toBigInt(progress.input_seq), at: Number(progress.input_at) };
  // The progress row is derived, too: an input has its number exactly when the transaction that decided it was committed, and the last
  // one is never swept.
  const [last] = await tx.query<{ seq: string; at: string }>(
    `select seq, at from domain_input where tenant_id = $1 and domain_id = $2 and seq is not null order by seq desc limit 1`,
    [tx.tenantId, domainId],
  );
  return { state, snapshotAt, inputSeq: toBigInt(last?.seq ?? 0), at: Number(last?.at ?? 0) };
};

/** Drops what answers queries and makes it again from the events of the domain, all of them. */
export const rebuild = async (tx: Tx, store: EventStore): Promise<void> => {
  for (const table of projectedTables) await tx.execute(`delete from ${table} where tenant_id = $1`, [tx.tenantId]);
  await foldDomain(tx, store, initialState, {
    onPage: (before, placed, after) => inOneTrip(tx, projection(tx.tenantId, before, placed, after)),
  });
};
