export * from './types.js';
export { createDataSource, Database, type DataSourceOptions } from './database.js';
export { databaseError, isUniqueViolation } from './database-error.js';
export { EventStore, type EventStoreOptions } from './event-store.js';
export { eventStoreMigrations } from './schema/migrations.js';
export { tenantTable } from './schema/tenant-table.js';
export { laneId, PLATFORM_TENANT } from './lane.js';
export type { OutboxState } from './relay/outbox.js';
export { Relay } from './relay/relay.js';
export type { RelayAlarm, RelayMetrics, RelayOptions, RelayState } from './relay/relay-options.js';
export { inboxMiddleware, type InboxMetrics, type InboxOptions } from './inbox/middleware.js';
export { consumerActionOf, consumerActions, type ConsumerAction } from './inbox/actions.js';
export { consumerLag, requireLogHoldsPositions, startAt, type Lag } from './inbox/positions.js';
export {
  listParked,
  parkedState,
  retryParked,
  skipParked,
  type Drained,
  type OperateOptions,
  type ParkedKey,
} from './inbox/operate.js';
export {
  parkedKeyOf,
  parkedPage,
  type ParkedAfter,
  type ParkedPage,
  type ParkedView,
  type RecordPlace,
} from './inbox/parked-page.js';
export { Commands, type CommandOptions } from './commands.js';
export { causalToken } from './causal-token.js';
export { linkToStream } from './stream-traces.js';
export { feed, feedHead } from './feed.js';
export { inOneTrip, type Part } from './one-trip.js';
export { rebuildProjection, type Rebuilt, type RebuildOptions } from './rebuild.js';
