import { eventStoreMigrations } from '@centralita/event-store';
import { serviceEnv, type ServiceOptions } from '@centralita/platform-nest';
import { RoutingModule } from './app.module.js';
import { routingEnv } from './config.js';
import { Routing1763856100000 } from './schema/migration.js';
import { RoutingPlans1764300000000 } from './schema/plans.js';
import { RoutingSnapshots1763880000000 } from './schema/snapshots.js';

/** Signals need the address of the database for a connection of their own. */
const schema = routingEnv.extend({ DATABASE_URL: serviceEnv.shape.DATABASE_URL });

/** Routing as the platform runs it: one writer per routing domain, wherever it happens to run; every instance serves the API. */
export const routingService = {
  service: 'routing',
  schema,
  migrations: [...eventStoreMigrations, Routing1763856100000, RoutingSnapshots1763880000000, RoutingPlans1764300000000],
  module: (config) => RoutingModule.with({ databaseUrl: config.DATABASE_URL }),
  consumerGroup: 'routing',
  relayTopics: ['routing.events.v1'],
  feedTopic: 'routing.events.v1',
  customerData: false,
} satisfies ServiceOptions<typeof schema._output>;
