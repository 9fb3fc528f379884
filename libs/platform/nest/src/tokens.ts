import type { EventLog } from '@centralita/event-log';
import type { Database, EventStore } from '@centralita/event-store';
import type { Keyring } from '@centralita/keyring';
import type { Logger } from './logger.js';

/** Nest tokens of what the platform provides. `Database`, `EventStore`, `Commands` and `Keyring` are injected by their class. */
export const CONFIG = Symbol('centralita:config');
export const CLOCK = Symbol('centralita:clock');
export const LOGGER = Symbol('centralita:logger');
export const EVENT_LOG = Symbol('centralita:event-log');
export const METRICS = Symbol('centralita:metrics');
export const DRAIN = Symbol('centralita:drain');
export const HEALTH = Symbol('centralita:health');

/** The present instant; replaced in tests. */
export type Clock = () => Date;

/** What a service is built from. `keyring` is null for services without customer data. */
export type PlatformDeps<C = unknown> = {
  readonly config: C;
  readonly db: Database;
  readonly store: EventStore;
  readonly log: EventLog;
  readonly keyring: Keyring | null;
  readonly logger: Logger;
  readonly clock: Clock;
};
