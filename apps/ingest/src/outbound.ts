import { encodeEvent, schemaUri, type Cause, type EventData, type EventType } from '@centralita/contracts';
import { eventRecord, type EventLog } from '@centralita/event-log';
import type { Keyring } from '@centralita/keyring';

/** The event that made us act; carried so that a flow can be followed and a ledger rebuilt. */
export type Flow = { readonly correlationId: string; readonly causationId: string; readonly cause: Cause };

type OutboundType = Extract<EventType, `whatsapp.reply.${string}` | `media.${string}`>;
export type OutboundFact<Type extends OutboundType = OutboundType> = {
  [T in Type]: {
    readonly type: T;
    readonly tenantId: string;
    /** Record key and stream. */
    readonly key: string;
    /** Send id or media id. */
    readonly about: string;
    readonly attempt: number;
    readonly data: EventData<T>;
    readonly flow: Flow | null;
    /** When it happened, where that was before it is said. */
    readonly at?: string;
  };
}[Type];

/**
 * Facts of ours that are produced directly: resolves when they are replicated. Their ids are keyed hashes of what they say, so that
 * saying it again after a crash is harmless.
 */
export class Outbound {
  constructor(
    private readonly log: Pick<EventLog, 'append'>,
    private readonly keyring: Pick<Keyring, 'references'>,
    private readonly clock: () => Date,
  ) {}

  async append(fact: OutboundFact): Promise<void> {
    const { type, tenantId, key, about, attempt, data, flow, at } = fact;
    const id = (await this.keyring.references(tenantId)).sendEventId(type, about, attempt);
    const now = this.clock().toISOString();
    const value = encodeEvent({
      specversion: '1.0',
      id,
      source: '/centralita/ingest',
      type,
      time: at ?? now,
      subject: key,
      datacontenttype: 'application/json',
      dataschema: schemaUri(type),
      tenantid: tenantId,
      recordedtime: now,
      correlationid: flow?.correlationId ?? id,
      causationid: flow?.causationId ?? null,
      ...(flow ? { cause: flow.cause } : {}),
      data,
    });
    await this.log.append([eventRecord({ topic: 'wa.outbound.v1', key, value })]);
  }
}
