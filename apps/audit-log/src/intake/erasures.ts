import { isType, type AccessRecord, type EventData, type EventType } from '@centralita/contracts';
import { traceparentOfCause, type ConsumedEvent, type EventBatch } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { Keyring } from '@centralita/keyring';
import { Injectable } from '@nestjs/common';
import { v5 as uuidv5 } from 'uuid';
import { takeIn } from './handler.js';

export const erasureTypes = ['subject.erasure.started.v1', 'subject.erased.v1'] as const satisfies readonly EventType[];

/**
 * An erasure as a record of the ledger: nothing was disclosed, and nothing can be any more. It has no actor of its own; the
 * service that carried it out stands there, and the reference names the erasure.
 */
export const erasureRecord = (
  tenantId: string,
  erasure: EventData<'subject.erased.v1'>,
  recordId: string,
  subject: string | null,
): AccessRecord => ({
  recordId,
  occurredAt: erasure.erasedAt,
  service: 'conversation',
  outcome: 'denied',
  actor: { id: uuidv5('service:conversation', tenantId), role: 'platform', session: 'service' },
  action: 'subject.erased',
  resource: { type: 'erasure', id: erasure.erasureId },
  fields: [],
  resultCount: 0,
  subjects: subject === null ? [] : [subject],
  manifest: null,
  reason: { code: 'SYSTEM_OPERATION', reference: erasure.erasureId, text: null },
  policy: { rule: 'erasure', version: 1 },
  source: { ip: null, userAgent: null },
});

/** Makes an erasure visible in the ledger of each subject. The commitment must be taken while the key is still there. */
@Injectable()
export class Erasures {
  constructor(private readonly keyring: Keyring) {}

  async onErasures(batch: EventBatch): Promise<void> {
    const tx = batch.tx as Tx;
    for (const consumed of batch.events) {
      const { event } = consumed;
      if (isType(event, 'subject.erasure.started.v1')) await this.#commit(tx, event.data);
      if (isType(event, 'subject.erased.v1')) await this.#record(tx, consumed, event.data);
    }
  }

  async #commit(tx: Tx, { erasureId, subjectIds }: EventData<'subject.erasure.started.v1'>): Promise<void> {
    const keys = await this.keyring.sealer(tx.tenantId, subjectIds);
    const sorted = [...subjectIds].sort();
    await tx.execute(
      `insert into erasure_subject (tenant_id, erasure_id, number, subject)
       select $1, $2, number, subject from unnest($3::text[]) with ordinality as u(subject, number) on conflict do nothing`,
      [
        tx.tenantId,
        erasureId,
        // Replayed after the keys were destroyed there is nothing left to commit to: the leaf then stands without a subject.
        sorted.map((subject) => (keys.state(subject) === 'destroyed' ? null : keys.commitment(subject))),
      ],
    );
  }

  async #record(tx: Tx, consumed: ConsumedEvent, erasure: EventData<'subject.erased.v1'>): Promise<void> {
    const rows = await tx.query<{ number: number; subject: string | null }>(
      `select number, subject from erasure_subject where tenant_id = $1 and erasure_id = $2`,
      [tx.tenantId, erasure.erasureId],
    );
    const traceparent = traceparentOfCause(consumed);
    const subjects = new Map(rows.map(({ number, subject }) => [number, subject]));
    await takeIn(
      tx,
      erasure.subjectIds.map((_, position) => {
        const number = position + 1;
        // The erasure is a source of its own, numbered 1..n over its subjects.
        const eventId = consumed.event.id;
        const recordId = uuidv5(`erasure:${number}`, eventId);
        const record = erasureRecord(tx.tenantId, erasure, recordId, subjects.get(number) ?? null);
        return { lane: erasure.erasureId, number: BigInt(number), kind: 'erasure', eventId, record, traceparent };
      }),
    );
  }
}
