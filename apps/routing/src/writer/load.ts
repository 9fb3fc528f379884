import { evolve, initialState, type RoutingEvent, type RoutingState } from '@centralita/domain-routing';
import { toBigInt, type EventStore, type Tx } from '@centralita/event-store';
import { domainOf } from '../ids.js';
import { project, projectedTables, type Placed } from '../read/project.js';

const PAGE = 1000;

export type Loaded = {
  readonly state: RoutingState;
  /** Last input that was taken. */
  readonly inputSeq: bigint;
  /** Time of that input, milliseconds since the epoch; 0 before the first. */
  readonly at: number;
};

/**
 * The state of a domain from its events, and how far its inputs were taken. When the tables for queries are not at the same event
 * (never, unless somebody dropped them or their row of domain_progress), they are made again on the way.
 */
export const loadDomain = async (tx: Tx, store: EventStore): Promise<Loaded> => {
  const domainId = domainOf(tx.tenantId);
  const [progress] = await tx.query<{ input_seq: string; input_at: string; domain_seq: string }>(
    `select input_seq, input_at, domain_seq from domain_progress where tenant_id = $1 and domain_id = $2`,
    [tx.tenantId, domainId],
  );
  const projected = progress === undefined ? 0n : toBigInt(progress.domain_seq);
  const state = await fold(tx, store, domainId, null);
  if (BigInt(state.position) !== projected) await rebuild(tx, store);
  if (progress) return { state, inputSeq: toBigInt(progress.input_seq), at: Number(progress.input_at) };
  // The progress row is derived, too: an input has its number exactly when the transaction that decided it was committed.
  const [last] = await tx.query<{ seq: string; at: string }>(
    `select seq, at from domain_input where tenant_id = $1 and domain_id = $2 and seq is not null order by seq desc limit 1`,
    [tx.tenantId, domainId],
  );
  return { state, inputSeq: toBigInt(last?.seq ?? 0), at: Number(last?.at ?? 0) };
};

/** Drops what answers queries and makes it again from the events of the domain. */
export const rebuild = async (tx: Tx, store: EventStore): Promise<void> => {
  for (const table of projectedTables) await tx.execute(`delete from ${table} where tenant_id = $1`, [tx.tenantId]);
  await fold(tx, store, domainOf(tx.tenantId), (before, placed, after) => project(tx, before, placed, after));
};

const fold = async (
  tx: Tx,
  store: EventStore,
  domainId: string,
  onPage: ((before: RoutingState, placed: readonly Placed[], after: RoutingState) => Promise<void>) | null,
): Promise<RoutingState> => {
  let state = initialState;
  for (;;) {
    const page = await store.readDomain(tx, domainId, BigInt(state.position) + 1n, PAGE);
    const placed = page.map(({ type, data, streamId, streamVersion, domainSeq }) => ({
      event: { type, data } as RoutingEvent,
      streamId,
      streamVersion: BigInt(streamVersion),
      domainSeq: domainSeq as bigint,
    }));
    const next = evolve(
      state,
      placed.map(({ event }) => event),
    );
    await onPage?.(state, placed, next);
    state = next;
    if (page.length < PAGE) return state;
  }
};
