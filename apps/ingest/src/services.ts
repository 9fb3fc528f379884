import { eventStoreMigrations } from '@centralita/event-store';
import type { ServiceOptions } from '@centralita/platform-nest';
import { mediaEnv, senderEnv, type MediaEnv, type SenderEnv } from './config.js';
import { MediaModule } from './fetch-media/media.module.js';
import { ingestMigration } from './migration.js';
import { SENDER_GROUP, SenderModule } from './send-reply/sender.module.js';

/** All roles share one database; whichever migrates does it for all. */
export const migrations = [...eventStoreMigrations, ingestMigration];

// Both publish only what the platform itself writes: access records, parked records.
export const senderService: ServiceOptions<SenderEnv> = {
  service: 'ingest',
  role: 'sender',
  schema: senderEnv,
  migrations,
  module: () => SenderModule,
  consumerGroup: SENDER_GROUP,
  relayTopics: [],
  customerData: true,
};

export const mediaService: ServiceOptions<MediaEnv> = {
  service: 'ingest',
  role: 'media',
  schema: mediaEnv,
  migrations,
  module: () => MediaModule,
  consumerGroup: 'ingest-media',
  relayTopics: [],
  customerData: true,
};
