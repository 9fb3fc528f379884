import { EventStoreAppend1764290000000 } from './append.js';
import { eventStoreMigration } from './migration.js';
import { EventStorePlans1764300000000 } from './plans.js';
import { EventStoreUpkeep1764190000000 } from './upkeep.js';

/** What every service with a database lists first, in this order. Released ones are never changed: a change is a new one at the end. */
export const eventStoreMigrations = [
  eventStoreMigration,
  EventStoreUpkeep1764190000000,
  EventStoreAppend1764290000000,
  EventStorePlans1764300000000,
] as const;
