import { isType } from '@centralita/contracts';
import type { StatusFact, Usage } from '@centralita/domain-billing';
import { OnEvents, type ConsumedEvent, type EventBatch } from '@centralita/event-log';
import { EventStore, type NewEvent, type Tx } from '@centralita/event-store';
import { Controller } from '@nestjs/common';
import { v5 } from 'uuid';
import { AccountBook } from '../accounts.js';
import { applyStatuses } from './fold.js';

/** The id of a usage record: the same for every replay. */
export const usageIdOf = (tenantId: string, usage: Pick<Usage, 'messageRef' | 'participant' | 'chargeKind'>): string =>
  v5(`usage:${usage.messageRef}:${usage.participant}:${usage.chargeKind}`, tenantId);

/** Where a usage record comes from: the record of the log, and the flow that it belongs to. */
const flowOf = (consumed: ConsumedEvent | undefined): Pick<NewEvent, 'cause' | 'causationId' | 'correlationId'> =>
  consumed === undefined
    ? {}
    : {
        cause: { topic: consumed.topic, partition: consumed.partition, offset: consumed.offset.toString() },
        causationId: consumed.event.id,
        correlationId: consumed.event.correlationid,
      };

/** Statuses of a batch, as the fold takes them. */
export const statusFacts = (events: readonly ConsumedEvent[]): StatusFact[] =>
  events.flatMap(({ event, key }) =>
    isType(event, 'whatsapp.status.changed.v1')
      ? [{ eventId: event.id, subjectKey: key, recordedTime: event.recordedtime, data: event.data }]
      : [],
  );

/** Folds statuses into usage and tells each change; what it tells is an output and never read back. */
@Controller()
export class FoldUsageHandler {
  constructor(
    private readonly accounts: AccountBook,
    private readonly store: EventStore,
  ) {}

  @OnEvents('wa.inbound.v1', {
    handles: ['whatsapp.status.changed.v1'],
    ignores: [
      'whatsapp.message.received.v1',
      'whatsapp.call.changed.v1',
      'whatsapp.echo.received.v1',
      'whatsapp.identity.changed.v1',
      'whatsapp.preference.changed.v1',
      'whatsapp.account.changed.v1',
      'whatsapp.unknown.received.v1',
    ],
  })
  async onStatuses(batch: EventBatch): Promise<void> {
    const tx = batch.tx as Tx;
    const changes = await applyStatuses(tx, this.accounts, statusFacts(batch.events));
    const consumed = new Map(batch.events.map((one) => [one.event.id, one]));
    const events = changes.map(({ cause, revision, usage }): NewEvent => {
      const usageId = usageIdOf(tx.tenantId, usage);
      return {
        ...flowOf(consumed.get(cause.eventId)),
        key: cause.subjectKey,
        streamId: usageId,
        expectedVersion: 'any',
        type: 'usage.recorded.v1',
        time: new Date(usage.deliveredAt),
        data: { usageId, revision, ...usage },
      };
    });
    if (events.length > 0) await this.store.append(tx, 'billing.events.v1', events);
  }
}
