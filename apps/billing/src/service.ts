import { eventStoreMigrations } from '@centralita/event-store';
import { z } from 'zod';
import { BillingTables1764000100000 } from './schema/migration.js';
import { BillingUpkeep1764200000000 } from './schema/upkeep.js';

/** What the service is to the platform, shared by its process and its tests. */
export const billing = {
  service: 'billing' as const,
  schema: z.object({
    ACCOUNTS_FILE: z.string().describe('JSON file with the accounts: zone and currency decide months and cards'),
  }),
  migrations: [...eventStoreMigrations, BillingTables1764000100000, BillingUpkeep1764200000000],
  consumerGroup: 'billing',
  relayTopics: ['billing.events.v1'] as const,
  feedTopic: 'billing.events.v1' as const,
  customerData: false,
};
