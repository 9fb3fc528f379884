import { typesOf, type EventType, type Topic } from '@centralita/contracts';
import type { EventBatch, TopicHandler } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { loadConfig, type Projection, type ProjectionsOptions } from '@centralita/platform-nest';
import { AccountBook } from './accounts.js';
import { applyStatuses } from './fold-usage/fold.js';
import { statusFacts } from './fold-usage/handler.js';
import { RateCardHandler } from './rate-cards/handler.js';
import { billing } from './service.js';

const only = (topic: Topic, type: EventType, handle: (batch: EventBatch) => Promise<void>): [string, TopicHandler] => [
  topic,
  { handle, ignored: new Set(typesOf(topic).filter((other) => other !== type)) },
];

/** Usage with its evidence, and the cards, as live folds them; what live tells about a change is told already. */
export const usageProjection = (accounts: AccountBook): Projection => {
  const cards = new RateCardHandler();
  return {
    tables: ['usage', 'usage_evidence', 'rate_card'],
    handlers: new Map([
      only('wa.inbound.v1', 'whatsapp.status.changed.v1', async (batch) => {
        await applyStatuses(batch.tx as Tx, accounts, statusFacts(batch.events));
      }),
      only('billing.events.v1', 'rate.card.published.v1', (batch) => cards.onBillingEvents(batch)),
    ]),
  };
};

/** What `main.js projection NAME` can fill again. */
export const projections = (env: NodeJS.ProcessEnv): ProjectionsOptions => ({
  service: billing.service,
  groupId: billing.consumerGroup,
  projections: {
    usage: async () => {
      const [{ ACCOUNTS_FILE }] = loadConfig(env, billing.schema);
      return usageProjection(AccountBook.read(ACCOUNTS_FILE));
    },
  },
});
