import { isType, type EventData } from '@centralita/contracts';
import { OnEvents, type ConsumedEvent, type EventBatch } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { Controller } from '@nestjs/common';

/** Keeps the published cards. They are applied when a statement is made, never while usage is folded: usage holds no money. */
export const applyCards = async (tx: Tx, cards: readonly EventData<'rate.card.published.v1'>[]): Promise<void> => {
  if (cards.length === 0) return;
  await tx.execute(
    `insert into rate_card (tenant_id, card_id, body) select $1, c.* from unnest($2::uuid[], $3::jsonb[]) c on conflict (tenant_id, card_id) do nothing`,
    [tx.tenantId, cards.map((card) => card.cardId), cards.map((card) => JSON.stringify(card))],
  );
};

const cardsOf = (events: readonly ConsumedEvent[]): EventData<'rate.card.published.v1'>[] =>
  events.flatMap(({ event }) => (isType(event, 'rate.card.published.v1') ? [event.data] : []));

@Controller()
export class RateCardHandler {
  @OnEvents('billing.events.v1', {
    handles: ['rate.card.published.v1'],
    ignores: ['usage.recorded.v1', 'period.closed.v1', 'invoice.issued.v1', 'invoice.corrected.v1', 'replay.verified.v1'],
  })
  async onBillingEvents(batch: EventBatch): Promise<void> {
    await applyCards(batch.tx as Tx, cardsOf(batch.events));
  }
}
