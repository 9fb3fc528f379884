import { randomUUID } from 'node:crypto';
import { CONTENT_TYPE, encodeEvent, schemaUri, type CloudEvent, type EventData, type EventType } from '@centralita/contracts';
import type { EventLog, LogRecord } from '@centralita/event-log';
import { v5 } from 'uuid';

/** A customer's conversation with one business number, as the conversation service would tell of it. */
export type Customer = { readonly subjectId: string; readonly phoneNumberId: string; readonly conversationId: string };

/** Stands for the conversation service: writes its events, with gapless versions per key. */
export class ConversationTeller {
  readonly #versions = new Map<string, number>();

  constructor(
    private readonly log: EventLog,
    readonly tenantId: string,
  ) {}

  customer(phoneNumberId = '100', ordinal = 1, subjectId: string = randomUUID()): Customer {
    return { subjectId, phoneNumberId, conversationId: v5(`${phoneNumberId}:${subjectId}:${ordinal}`, this.tenantId) };
  }

  async opened(customers: readonly Customer[], more: Partial<EventData<'conversation.opened.v1'>> = {}): Promise<void> {
    await this.log.append(
      customers.map((customer) =>
        this.#record(customer, 'conversation.opened.v1', {
          ...customer,
          contactId: randomUUID(),
          wabaId: 'waba',
          ordinal: 1,
          openedBy: 'AAAAAAAAAAAAAAAAAAAAAA',
          openedAt: new Date().toISOString(),
          language: null,
          windowExpiresAt: new Date(Date.now() + 86_400_000).toISOString(),
          referral: false,
          ...more,
        }),
      ),
    );
  }

  async tell<Type extends EventType>(customer: Customer, type: Type, data: Record<string, unknown>): Promise<void> {
    await this.log.append([
      this.#record(customer, type, { conversationId: customer.conversationId, subjectId: customer.subjectId, ...data }),
    ]);
  }

  async closed(customer: Customer, agentId: string | null): Promise<void> {
    await this.tell(customer, 'conversation.closed.v1', {
      agentId,
      dispositionCode: 'done',
      closedAt: new Date().toISOString(),
    });
  }

  async transferRequested(customer: Customer, agentId: string, to: { agentId?: string; queueId?: string }): Promise<void> {
    await this.tell(customer, 'conversation.transfer.requested.v1', {
      transferId: randomUUID(),
      agentId,
      toAgentId: to.agentId ?? null,
      toQueueId: to.queueId ?? null,
      requestedAt: new Date().toISOString(),
    });
  }

  #record(customer: Customer, type: string, data: unknown): LogRecord {
    const version = (this.#versions.get(customer.subjectId) ?? 0) + 1;
    this.#versions.set(customer.subjectId, version);
    const now = new Date().toISOString();
    const event: CloudEvent = {
      specversion: '1.0',
      id: randomUUID(),
      source: '/centralita/conversation',
      type,
      time: now,
      subject: customer.conversationId,
      datacontenttype: 'application/json',
      dataschema: schemaUri(type),
      tenantid: this.tenantId,
      recordedtime: now,
      correlationid: randomUUID(),
      causationid: null,
      keyversion: String(version),
      streamversion: String(version),
      data,
    };
    return {
      topic: 'conversation.events.v1',
      key: customer.subjectId,
      value: encodeEvent(event),
      headers: { 'content-type': CONTENT_TYPE },
    };
  }
}
