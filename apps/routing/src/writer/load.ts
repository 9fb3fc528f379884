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
  /** When that input came and when it was decided, milliseconds since the epoch; 0 before the first. */
  readonly receivedAt: number;
  readonly at: number;
};

/**
 * The state of a domain from its newest snapshot and the events since, and how far its inputs were taken. When the tables for queries
 * are not at the same event (never, unless somebody dropped them or their row of domain_progress), they are made again on the way.
 */
export const loadDomain = async (tx: Tx, store: EventStore): Promise<Loaded & { readonly snapshotAt: number }> => {
  const domainId = domainOf(tx.tenantId);
  // An input has its number exactly when the transaction that decided it was committed, and the last one is never swept.
  const [last] = await tx.query<{ seq: string; received_at: string; at: string }>(
    `select seq, received_at, at from domain_input where tenant_id = $1 and domain_id = $2 and seq is not null order by seq desc limit 1`,
    [tx.tenantId, domainId],
  );
  const [progress] = await tx.query<{ domain_seq: string }>(
    `select domain_seq from domain_progress where tenant_id = $1 and domain_id = $2`,
    [tx.tenantId, domainId],
  );
  const snapshot = await readSnapshot(tx);
  const state = await foldDomain(tx, store, snapshot);
  if (BigInt(state.position) !== toBigInt(progress?.domain_seq ?? 0)) await rebuild(tx, store);
  return {
    state,
    snapshotAt: snapshot.position,
    inputSeq: toBigInt(last?.seq ?? 0),
    receivedAt: Number(last?.received_at ?? 0),
    at: Number(last?.at ?? 0),
  };
};

/** Drops what answers queries and makes it again from the events of the domain, all of them. */
export const rebuild = async (tx: Tx, store: EventStore): Promise<void> => {
  for (const table of projectedTables) await tx.execute(`delete from ${table} where tenant_id = $1`, [tx.tenantId]);
  await foldDomain(tx, store, initialState, {
    onPage: (before, placed, after) => inOneTrip(tx, projection(tx.tenantId, before, placed, after)),
  });
};
