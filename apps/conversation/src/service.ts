import { eventStoreMigrations } from '@centralita/event-store';
import type { ServiceOptions } from '@centralita/platform-nest';
import { ConversationModule } from './app.module.js';
import { conversationEnv, type ConversationConfig } from './config.js';
import { conversationFeed } from './feed/feed.js';
import { Conversation1763856100000 } from './schema/migration.js';
import { ReplyPointers1763880000000 } from './schema/reply-pointers.js';
import { ThreadOrder1763880100000 } from './schema/thread-order.js';

/** The service as the platform runs it, in a process of its own or in a spec. */
export const conversationService: ServiceOptions<ConversationConfig> = {
  service: 'conversation',
  schema: conversationEnv,
  migrations: [...eventStoreMigrations, Conversation1763856100000, ReplyPointers1763880000000, ThreadOrder1763880100000],
  module: () => ConversationModule,
  consumerGroup: 'conversation',
  relayTopics: ['conversation.events.v1'],
  feedTopic: 'conversation.events.v1',
  feed: conversationFeed,
  customerData: true,
};
