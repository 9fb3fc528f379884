import { eventStoreMigrations } from '@centralita/event-store';
import { configSchema } from './config.js';
import { AuditLogTables1764000200000 } from './schema/migration.js';
import { AuditLogParticipants1764700000000 } from './schema/participants.js';
import { AuditLogSelftest1764600000000 } from './schema/selftest.js';
import { AuditLogTraces1764500000000 } from './schema/traces.js';
import { AuditLogUpkeep1764200000000 } from './schema/upkeep.js';

export const CONSUMER_GROUP = 'audit-log';

/** What the service is to the platform, shared by its process and its tests. */
export const auditLog = {
  service: 'audit-log' as const,
  schema: configSchema,
  migrations: [
    ...eventStoreMigrations,
    AuditLogTables1764000200000,
    AuditLogUpkeep1764200000000,
    AuditLogTraces1764500000000,
    AuditLogSelftest1764600000000,
    AuditLogParticipants1764700000000,
  ],
  consumerGroup: CONSUMER_GROUP,
  relayTopics: ['audit.sequenced.v1', 'audit.checkpoints.v1'] as const,
  customerData: true,
};
