import { isDeepStrictEqual } from 'node:util';
import { PlatformError } from '@centralita/contracts';
import {
  FOLD_VERSION,
  initialState,
  stateFromJson,
  stateToJson,
  type RoutingState,
  type StateJson,
} from '@centralita/domain-routing';
import type { EventStore, Tx } from '@centralita/event-store';
import { domainOf } from '../ids.js';
import { foldDomain } from './fold.js';

/** The newest snapshot that this version of the fold has taken, else the state before the first event. */
export const readSnapshot = async (tx: Tx): Promise<RoutingState> => {
  const [row] = await tx.query<{ state: StateJson }>(
    `select state from domain_snapshot where tenant_id = $1 and domain_id = $2 and fold_version = $3`,
    [tx.tenantId, domainOf(tx.tenantId), FOLD_VERSION],
  );
  return row ? stateFromJson(row.state) : initialState;
};

/**
 * Keeps a state for the next start, once the events since the last snapshot, read again from the store, have given the same. Events up
 * to a position never change, so it does not matter who writes here, or when; the furthest stays. Throws INTERNAL when the state is not
 * what its events say: whoever holds it must forget it.
 */
export const saveSnapshot = async (tx: Tx, store: EventStore, state: RoutingState): Promise<void> => {
  const folded = await foldDomain(tx, store, await readSnapshot(tx), { to: state.position });
  if (folded.position > state.position) return;
  const json = stateToJson(state);
  if (!isDeepStrictEqual(plain(stateToJson(folded)), plain(json)))
    throw new PlatformError('INTERNAL', 'the state in memory is not what the events of its domain give', {
      position: state.position,
    });
  await tx.execute(
    `insert into domain_snapshot as s (tenant_id, domain_id, fold_version, domain_seq, state) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, domain_id) do update
       set fold_version = excluded.fold_version, domain_seq = excluded.domain_seq, state = excluded.state, taken_at = excluded.taken_at
     where s.fold_version <> excluded.fold_version or s.domain_seq < excluded.domain_seq`,
    [tx.tenantId, domainOf(tx.tenantId), FOLD_VERSION, state.position, JSON.stringify(json)],
  );
};

/** As it comes back from the database: without what JSON does not hold. */
const plain = (json: StateJson): unknown => JSON.parse(JSON.stringify(json));
