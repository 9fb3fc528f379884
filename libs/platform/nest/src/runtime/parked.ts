import type { TopicHandler } from '@centralita/event-log';
import {
  listParked,
  parkedKeyOf,
  parkedPage,
  retryParked,
  skipParked,
  type Database,
  type Drained,
  type EventStore,
  type ParkedAfter,
  type ParkedKey,
  type ParkedPage,
  type RecordPlace,
} from '@centralita/event-store';

/** Who decides, for which tenant: keys with records of another tenant are not theirs. */
export type Operator = { readonly actorId: string; readonly tenantId: string };

/** What an operator does about the parked keys of a service's consumer group. Each decision is an event that names who took it. */
export type ParkedKeys = {
  readonly groupId: string;
  /** Of all tenants, oldest first. */
  list(): Promise<ParkedKey[]>;
  /** Those that a tenant's operators may see, oldest first. */
  page(options: { tenantId: string; handle?: string; after?: ParkedAfter; limit: number }): Promise<ParkedPage>;
  /** The record key behind the handle of a page; null when there is none that this tenant may see. */
  keyOf(tenantId: string, handle: string): Promise<string | null>;
  /** Applies the records of a key again, in order, on all topics of the group. Throws NOT_FOUND when it is not parked. */
  retry(key: string, operator: Operator): Promise<Drained>;
  /**
   * Gives the first record of a key up, then applies what waited behind it. Throws NOT_FOUND when it is not parked, VERSION_CONFLICT
   * when its first record is not the one that is named.
   */
  skip(key: string, record: RecordPlace, operator: Operator): Promise<Drained>;
};

/** `handlers` is asked at each decision: Nest binds them while it starts. */
export const parkedKeys = (group: {
  readonly db: Database;
  readonly store: EventStore;
  readonly groupId: string;
  readonly handlers: () => ReadonlyMap<string, TopicHandler>;
}): ParkedKeys => {
  const { db, store, groupId, handlers } = group;
  return {
    groupId,
    list: () => listParked(db, groupId),
    page: (options) => parkedPage(db, groupId, options),
    keyOf: (tenantId, handle) => parkedKeyOf(db, groupId, tenantId, handle),
    retry: (key, operator) => retryParked({ db, store, groupId, key, ...operator, handlers: handlers() }),
    skip: (key, record, operator) => skipParked({ db, store, groupId, key, ...operator, handlers: handlers() }, record),
  };
};
