import type { TopicHandler } from '@centralita/event-log';
import {
  listParked,
  retryParked,
  skipParked,
  type Database,
  type Drained,
  type EventStore,
  type ParkedKey,
} from '@centralita/event-store';

/** What an operator does about the parked keys of a service's consumer group. Each decision is an event that names who took it. */
export type ParkedKeys = {
  /** Oldest first. */
  list(): Promise<ParkedKey[]>;
  /** Applies the records of a key again, in order, on all topics of the group. Throws NOT_FOUND when it is not parked. */
  retry(key: string, actorId: string): Promise<Drained>;
  /** Gives the first record of a key up, then applies what waited behind it. Throws NOT_FOUND when it is not parked. */
  skip(key: string, actorId: string): Promise<Drained>;
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
    list: () => listParked(db, groupId),
    retry: (key, actorId) => retryParked({ db, store, groupId, key, actorId, handlers: handlers() }),
    skip: (key, actorId) => skipParked({ db, store, groupId, key, actorId, handlers: handlers() }),
  };
};
