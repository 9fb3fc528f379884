import { isType, PlatformError, type AccessRecord, type EventType } from '@centralita/contracts';
import { OnEvents, traceparentOfCause, type ConsumedEvent, type EventBatch } from '@centralita/event-log';
import type { Tx } from '@centralita/event-store';
import { Controller } from '@nestjs/common';
import { requireRoom } from '../sequence/leaves.js';

const accessTypes = [
  'customer.data.accessed.v1',
  'customer.data.exported.v1',
  'customer.data.denied.v1',
  'audit.log.read.v1',
  'break.glass.opened.v1',
] as const satisfies readonly EventType[];

/** A record that waits for its place in the log. `number` is gapless per lane, given by the source. */
export type IntakeRow = {
  readonly lane: string;
  readonly number: bigint;
  readonly kind: 'record' | 'erasure';
  readonly eventId: string;
  readonly record: AccessRecord;
  /** Of the flow that brought it; undefined when nothing is traced. */
  readonly traceparent?: string | undefined;
};

/**
 * Puts records before the sequencer. A number that is already here, waiting or in the log, would mean that the source has used it
 * twice: its database was restored behind the log. Refused here, that one lane waits for an operator; in the sequencer the whole log would.
 */
export const takeIn = async (tx: Tx, rows: readonly IntakeRow[]): Promise<void> => {
  if (rows.length === 0) return;
  for (const { record } of rows) requireRoom(tx.tenantId, record);
  await tx.execute(`insert into tenant_log (tenant_id) values ($1) on conflict do nothing`, [tx.tenantId]);
  const inserted = await tx.execute(
    `insert into intake (tenant_id, lane, number, kind, event_id, record, traceparent)
     select $1, u.* from unnest($2::uuid[], $3::bigint[], $4::text[], $5::uuid[], $6::jsonb[], $7::text[])
       as u(lane, number, kind, event_id, record, traceparent)
     where not exists (select from leaf l where l.tenant_id = $1 and l.lane = u.lane and l.number = u.number and l.kind <> 'subject')
     on conflict do nothing`,
    [
      tx.tenantId,
      rows.map(({ lane }) => lane),
      rows.map(({ number }) => number),
      rows.map(({ kind }) => kind),
      rows.map(({ eventId }) => eventId),
      rows.map(({ record }) => JSON.stringify(record)),
      rows.map(({ traceparent }) => traceparent ?? null),
    ],
  );
  if (inserted !== rows.length)
    throw new PlatformError('VERSION_REUSED', 'a source number stands for two access records', {
      lanes: [...new Set(rows.map(({ lane }) => lane))],
    });
};

const intakeRow = (consumed: ConsumedEvent): IntakeRow[] =>
  accessTypes.flatMap((type) => {
    const { event, key } = consumed;
    if (!isType(event, type)) return [];
    if (event.keyversion === undefined)
      throw new PlatformError('RECORD_INVALID', 'an access record has no number of its source', { eventId: event.id });
    return [
      {
        lane: key,
        number: BigInt(event.keyversion),
        kind: 'record',
        eventId: event.id,
        record: event.data,
        traceparent: traceparentOfCause(consumed),
      },
    ];
  });

/** Every access record of every service, this one's own included. */
@Controller()
export class IntakeHandler {
  @OnEvents('access.events.v1', { handles: accessTypes })
  async onRecords(batch: EventBatch): Promise<void> {
    await takeIn(batch.tx as Tx, batch.events.flatMap(intakeRow));
  }
}
