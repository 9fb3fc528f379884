import { evolve, type RoutingEvent, type RoutingState } from '@centralita/domain-routing';
import type { EventStore, Tx } from '@centralita/event-store';
import { domainOf } from '../ids.js';
import type { Placed } from '../read/project.js';

const PAGE = 1000;

type Options = {
  /** Position of the last event to fold. @default the end of the domain */
  readonly to?: number;
  readonly onPage?: (before: RoutingState, placed: readonly Placed[], after: RoutingState) => void;
};

/** A state and the events of the tenant's domain after it. */
export const foldDomain = async (tx: Tx, store: EventStore, from: RoutingState, options: Options = {}): Promise<RoutingState> => {
  const { to = Number.POSITIVE_INFINITY, onPage } = options;
  let state = from;
  while (state.position < to) {
    const wanted = Math.min(PAGE, to - state.position);
    const page = await store.readDomain(tx, domainOf(tx.tenantId), BigInt(state.position) + 1n, wanted);
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
    onPage?.(state, placed, next);
    state = next;
    if (page.length < wanted) break;
  }
  return state;
};
